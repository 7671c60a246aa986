#!/usr/bin/env python3
"""The HTML report in a real browser: headless Chromium opens a page in which everything that anybody can write is hostile.

Nothing may run but the page's own script, nothing may be asked for over the network, and the page's own search and folds must
work under its own policy. Fails where the browser cannot be run.
"""

import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

# Looks at the page after it was loaded and used. It is put behind the page in a copy, allowed by a hash of its own.
PROBE = """
(() => {
  const page = document.documentElement;
  const search = document.querySelector("#search");
  const all = [...document.querySelectorAll("details.change")];
  const visible = () => all.filter((change) => change.checkVisibility()).length;
  const before = visible();
  search.value = "zzz-nothing-has-this";
  search.dispatchEvent(new Event("input"));
  const none = visible();
  search.value = "";
  search.dispatchEvent(new Event("input"));
  document.querySelector("#open").click();
  const open = all.filter((change) => change.open).length;
  document.querySelector("#fold").click();
  const folded = all.filter((change) => !change.open).length;
  const handlers = [...document.querySelectorAll("*")].flatMap((e) => [...e.attributes]).filter((a) => a.name.startsWith("on"));
  page.setAttribute("data-probe", JSON.stringify({
    changes: all.length, before, none, open, folded,
    scripts: document.scripts.length,
    foreign: document.querySelectorAll("img, iframe, object, embed, link, a[href], form, svg, base").length,
    handlers: handlers.length,
    title: document.title.length > 0,
    owned: typeof window.owned,
  }));
})();
"""


def fail(why):
    print(f"report.py: {why}", file=sys.stderr)
    sys.exit(1)


class Bait(http.server.BaseHTTPRequestHandler):
    """Whatever the page asks for would come here."""

    asked = []

    def do_GET(self):
        Bait.asked.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def dom(page, seconds=60):
    """The page as the browser has it after loading, and how long that took."""
    with tempfile.TemporaryDirectory() as profile:
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                   "--virtual-time-budget=3000", "--dump-dom", page.as_uri()]
        started = time.monotonic()
        ran = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        if ran.returncode != 0 or "<html" not in ran.stdout:
            fail(f"{BROWSER} did not open the page: {ran.stderr[-400:]}")
        return ran.stdout, time.monotonic() - started


def probed(text, directory, name):
    """A copy of the page with the probe behind it; the page's own policy stays as it is but for the probe's hash."""
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    if "script-src 'sha256-" not in text:
        fail("the page has no policy")
    text = text.replace("script-src 'sha256-", f"script-src 'sha256-{digest}' 'sha256-", 1)
    page = pathlib.Path(directory) / name
    page.write_text(text.replace("</body>", f"<script>{PROBE}</script></body>", 1))
    shown, seconds = dom(page)
    found = re.search(r'data-probe="([^"]*)"', shown)
    if not found:
        fail(f"{name}: the probe did not run")
    return json.loads(found.group(1).replace("&quot;", '"')), seconds


def make(name, test, directory):
    """A page that the program's own tests draw."""
    target = pathlib.Path(directory) / f"{name}.raw.html"
    environment = {**os.environ, "SNOWFORM_HOSTILE_REPORT" if name == "hostile" else "SNOWFORM_LARGE_REPORT": str(target)}
    ran = subprocess.run(["cargo", "test", "--locked", "--test", "views", test], cwd=ROOT, env=environment, capture_output=True, text=True)
    if ran.returncode != 0 or not target.exists():
        fail(f"the page was not drawn: {ran.stderr[-800:]}")
    return target.read_text()


def main():
    if not BROWSER:
        fail("there is no chromium; install the package, or name it with CHROMIUM")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bait)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bait = f"http://127.0.0.1:{server.server_address[1]}"
    with tempfile.TemporaryDirectory() as directory:
        # The browser must be able to run what is hostile, or the proof is worth nothing.
        trap = pathlib.Path(directory) / "trap.html"
        trap.write_text(f"<!doctype html><html><body><img src='{bait}/x'><script>document.title='ran'</script></body></html>")
        shown, _ = dom(trap)
        if "<title>ran</title>" not in shown or "/x" not in Bait.asked:
            fail("this browser runs no scripts and asks for no images, so it proves nothing")
        Bait.asked.clear()

        hostile = make("hostile", "the_html_report_has_no_markup_of_others", directory)
        hostile = hostile.replace("https://example.com", bait)
        found, _ = probed(hostile, directory, "hostile.html")
        wanted = {"scripts": 2, "foreign": 0, "handlers": 0, "none": 0, "owned": "undefined", "title": True}
        wanted |= {"before": found["changes"], "open": found["changes"], "folded": found["changes"]}
        wrong = {key: (found[key], value) for key, value in wanted.items() if found[key] != value}
        if wrong or found["changes"] < 5:
            fail(f"the hostile page: found and wanted differ: {wrong} of {found}")
        if Bait.asked:
            fail(f"the hostile page asked for {Bait.asked}")

        large, seconds = probed(make("large", "two_thousand_changes", directory), directory, "large.html")
        if large["changes"] != 2000 or large["none"] != 0 or large["open"] != 2000:
            fail(f"the large page: {large}")
        example, _ = probed((ROOT / "examples/views/plan.html").read_text(), directory, "example.html")
        if example["changes"] < 3 or example["handlers"]:
            fail(f"the example: {example}")
    print(f"report.py: {found['changes']} hostile changes did nothing; 2,000 changes opened, searched and folded ({seconds:.1f} s with the browser's start)")


if __name__ == "__main__":
    main()
