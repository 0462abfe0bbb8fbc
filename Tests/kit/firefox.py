"""Firefox without a window, driven by WebDriver BiDi: Debian has no geckodriver."""
import itertools
import json
import shutil
import tempfile

import parts
from process import free_port, listens, start_server, stop_server, wait_until


class Firefox:
    def __enter__(self):
        parts.need("firefox")
        import websocket

        self._profile, port = tempfile.mkdtemp(prefix="firefox-"), free_port()
        # No first page, no reports, no updates: nothing leaves this machine.
        quiet = {"media.autoplay.default": 0, "browser.startup.homepage_override.mstone": "ignore",
                 "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False,
                 "app.update.enabled": False, "network.captive-portal-service.enabled": False,
                 "network.connectivity-service.enabled": False, "browser.safebrowsing.update.enabled": False}
        with open(f"{self._profile}/user.js", "w") as preferences:
            preferences.writelines(f'user_pref("{key}", {json.dumps(value)});\n' for key, value in quiet.items())
        self._keeper = start_server(
            ["firefox-esr", "--headless", "--no-remote", "--profile", self._profile, "--remote-debugging-port", port],
            f"{self._profile}/log")
        wait_until(lambda: listens(port), 30, "Firefox")
        self._socket = websocket.create_connection(f"ws://127.0.0.1:{port}/session", timeout=30, suppress_origin=True)
        self._numbers = itertools.count(1)
        self._ask("session.new", capabilities={})
        self._page = self._ask("browsingContext.getTree")["contexts"][0]["context"]
        return self

    def __exit__(self, *_):
        self._socket.close()
        stop_server(self._keeper)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _ask(self, method, **parameters):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv())).get("id") != number:
            pass
        assert answer["type"] == "success", answer
        return answer["result"]

    def get(self, url):
        self._ask("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def execute_script(self, script):
        """Like selenium's method of this name: returns the script's result, which may be text, numbers, or lists of them."""
        answer = self._ask("script.evaluate", expression=f"JSON.stringify((() => {{ {script} }})())",
                           target={"context": self._page}, awaitPromise=False)
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])
