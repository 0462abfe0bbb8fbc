"""Hosts that answer whoever looks for cameras with what no camera would send: `hostile_answers.py ADDRESS…`; with
--unicast, a camera that hears what comes to its own address alone; with --many FIRST COUNT, as many cameras."""
import os
import socket
import sys
import threading

OLD, ONVIF = 2000, 3702


def scan(text):
    return f"<a:ProbeMatches><a:ProbeMatch><a:Scopes>{text}</a:Scopes><a:XAddrs>http://8.8.8.8/x</a:XAddrs>".encode()


def answers():
    yield b""
    yield b"\xff" * 60000
    yield b"\x3a\xcf\x87\x2a" + b"\xff" * 16
    yield b"\x3a\xcf\x87\x2a" + b"\xff\xff\xff\x7f" + os.urandom(400)
    yield bytes(388)
    yield b"\x1b]0;evil\x07\r\n" * 40
    yield scan("onvif://www.onvif.org/name/%1b%5b2J%0aevil onvif://www.onvif.org/hardware/\x1b[31m\u202eevil")
    yield scan("onvif://www.onvif.org/name/" + "a" * 50000)
    yield scan("&amp;" * 10000) + b"<" * 5000
    for _ in range(200):
        yield os.urandom(388)


def serve(address):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", OLD))
    probes = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probes.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probes.bind(("", ONVIF))
    probes.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.255.255.250") + socket.inet_aton(address))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind((address, 0))
    for source in (listener, probes):
        threading.Thread(target=answer, args=(source, sender)).start()


def answer(source, sender):
    while True:
        _, asker = source.recvfrom(9000)
        for data in answers():
            for port in (3000, asker[1]):
                sender.sendto(data, (asker[0], port))


def old_answer(number):
    return bytes(164) + (b"EC71DB%06X" % number).ljust(32, b"\0") + b"RLC-520".ljust(192, b"\0")


def serve_many(first, count):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("", OLD))
    senders = []
    for number in range(count):
        senders.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        senders[-1].bind((first.rpartition(".")[0] + f".{int(first.rpartition('.')[2]) + number}", 0))
    print("ready", flush=True)
    while True:
        _, asker = listener.recvfrom(100)
        for number, sender in enumerate(senders, 1):
            sender.sendto(old_answer(number), (asker[0], 3000))


def hear_unicast(address):
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((address, OLD))
    print("ready", flush=True)
    while True:
        question, asker = listener.recvfrom(100)
        if question == b"\xaa\xaa\x00\x00":
            listener.sendto(old_answer(0x0A0B0C), (asker[0], 3000))


if sys.argv[1] == "--unicast":
    hear_unicast(sys.argv[2])
if sys.argv[1] == "--many":
    serve_many(sys.argv[2], int(sys.argv[3]))
for host in sys.argv[1:]:
    serve(host)
print("ready", flush=True)
