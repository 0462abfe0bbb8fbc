"""A TCP proxy in front of a server, with the faults of a bad line, switched while connections run."""
import asyncio
import socket
import struct
import threading
import time


class FaultProxy:
    """Listens on `port`, forwards to `target`. `set(mode, amount)`:

    pass · delay MS · throttle BYTES_PER_SECOND · blackhole (accepts, forwards nothing) · refuse (resets at once) ·
    cut N, rst N, stall N (ends, resets, freezes after N bytes of the answer) · uprst N (resets after N bytes of the
    request)
    """

    def __init__(self, target, mode="pass", amount=0, buffer=0):
        """`buffer`: the most bytes that may wait in the kernel; 0 leaves that to the kernel."""
        self.buffer = buffer
        self.target, self.connections, self.bytes_up = target, 0, 0
        self.spans = []
        """When each connection began and when its client left it, monotonic."""
        self.set(mode, amount)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def set(self, mode="pass", amount=0):
        self.mode, self.amount = mode, amount

    def busy(self):
        """Seconds from the first connection's begin to the last one's end."""
        return max(closed for _, closed in self.spans) - min(opened for opened, _ in self.spans)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        listener = socket.socket()
        if self.buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer)
        listener.bind(("127.0.0.1", 0))
        server = self._loop.run_until_complete(asyncio.start_server(
            self._accept, sock=listener, limit=self.buffer or 65536))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _accept(self, reader, writer):
        self.connections += 1
        opened = time.monotonic()
        if self.mode == "refuse":
            return _reset(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return _reset(writer)
        await asyncio.gather(self._pump(reader, up_writer, writer, True, opened), self._pump(up_reader, writer, writer, False))
        for w in (writer, up_writer):
            w.close()

    async def _pump(self, reader, writer, client, up, opened=0):
        passed = 0
        try:
            while data := await reader.read(self.amount // 20 if self.mode == "throttle" else 16384):
                if up:
                    self.bytes_up += len(data)
                mode, amount = self.mode, self.amount
                if mode == "blackhole":
                    continue
                if mode == "delay":
                    await asyncio.sleep(amount / 1000)
                if mode == "throttle":
                    await asyncio.sleep(len(data) / amount)
                if mode in (("uprst",) if up else ("cut", "rst", "stall")) and passed + len(data) >= amount:
                    writer.write(data[:amount - passed])
                    await writer.drain()
                    if mode == "stall":
                        await asyncio.sleep(3600)
                    return writer.close() if mode == "cut" else _reset(client)
                passed += len(data)
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            writer.close()
        finally:
            if up:
                self.spans.append((opened, time.monotonic()))


def _reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
