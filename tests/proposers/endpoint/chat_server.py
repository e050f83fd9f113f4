"""A chat server for tests: OpenAI's protocol over real HTTP, in a process of its own.

    python chat_server.py '{"answers": {"goal": ["sport"]}}'

It prints its port, and answers by the first keyword that the text holds. `GET /seen` gives what
it was sent. The keys of its only argument, all optional:

    answers        keyword to answers; a request's seed says which of them, else it is the first
    raw            keyword to the words of the answer as they stand, schema or not
    finish         keyword to finish_reason
    refusal        keyword to the words of a refusal
    status         keyword to a status that every such request gets
    first          statuses that the first requests get, in turn
    refuses        parameters that are refused with a 400
    body           keyword to the whole body of the response
    delay          seconds before every answer, or keyword to seconds
    usage          [input tokens, output tokens] of every answer, or null for none
    key            the only key that may come in
    models         the only models that there are
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SETTINGS: dict[str, Any] = {"usage": [100, 10], **json.loads(sys.argv[1])}
SEEN: list[dict[str, Any]] = []
BUSY = {"now": 0, "most": 0}
LOCK = threading.Lock()


class Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.respond(200, json.dumps({"requests": SEEN, "most_at_once": BUSY["most"]}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with LOCK:
            SEEN.append({**body, "authorization": self.headers["Authorization"]})
            number = len(SEEN) - 1
            BUSY["now"] += 1
            BUSY["most"] = max(BUSY.values())
        try:
            self.respond(*self.answer(body, number))
        except ConnectionError:
            pass  # the client went away
        finally:
            with LOCK:
                BUSY["now"] -= 1

    def answer(self, body: dict[str, Any], number: int) -> tuple[int, str]:
        text = json.loads(body["messages"][-1]["content"])["text"]
        delay = SETTINGS.get("delay", 0)
        time.sleep(find(delay, text) or 0 if isinstance(delay, dict) else delay)
        refused = [name for name in SETTINGS.get("refuses", []) if name in body]
        if number < len(SETTINGS.get("first", [])):
            return SETTINGS["first"][number], error("not now")
        if self.headers["Authorization"] != f"Bearer {SETTINGS.get('key')}" and "key" in SETTINGS:
            return 401, error("wrong key")
        if body["model"] not in SETTINGS.get("models", [body["model"]]):
            return 404, error(f"no such model: {body['model']}")
        if refused:
            return 400, error(f"Unsupported parameter: '{refused[0]}' is not supported")
        if find(SETTINGS.get("status", {}), text):
            return find(SETTINGS["status"], text), error("cannot do this one")
        return 200, find(SETTINGS.get("body", {}), text) or json.dumps(completion(body, text))

    def respond(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("retry-after-ms", "10")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def find(by_keyword: dict[str, Any], text: str) -> Any:
    return next((value for word, value in by_keyword.items() if word in text), None)


def error(message: str) -> str:
    return json.dumps({"error": {"message": message}})


def completion(body: dict[str, Any], text: str) -> dict[str, Any]:
    answers = find(SETTINGS.get("answers", {}), text) or [""]
    label = answers[body.get("seed", 0) % len(answers)]
    content = json.dumps({"label": label}) if "response_format" in body else label
    raw = find(SETTINGS.get("raw", {}), text)
    message = {
        "role": "assistant",
        "content": content if raw is None else raw,
        "refusal": find(SETTINGS.get("refusal", {}), text),
    }
    finish = find(SETTINGS.get("finish", {}), text) or "stop"
    reply: dict[str, Any] = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if SETTINGS["usage"]:
        sent, received = SETTINGS["usage"]
        reply["usage"] = {
            "prompt_tokens": sent,
            "completion_tokens": received,
            "total_tokens": sent + received,
        }
    return reply


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    server.daemon_threads = True
    print(server.server_port, flush=True)  # noqa: T201 - how the test learns it
    server.serve_forever()
