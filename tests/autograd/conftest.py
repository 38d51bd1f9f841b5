"""A browser for the tests of pages, without a network and with an ear for complaints."""

import shutil

import numpy as np
import pytest

import nn
from autograd import keep_values, view

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, or the test is skipped. Of a module: the driver's event loop must not outlive it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"needs a browser: one of {', '.join(NAMES)}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens a page from its file, without a network; at the end, nothing may have complained."""
    complaints, contexts = [], []

    def opened(page, wrapped=None, **options):
        usual = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
        context = browser.new_context(**{**usual, **options})
        contexts.append(context)
        path = tmp_path / "page.html"
        if wrapped is None:
            page.save(path)
        else:
            path.write_text(wrapped, encoding="utf-8")

        def guard(route):
            if route.request.url != path.as_uri():
                complaints.append(f"asked for {route.request.url}")
                return route.abort()
            return route.continue_()

        context.route("**/*", guard)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        tab.goto(path.as_uri())
        place = tab if wrapped is None else tab.frame_locator("iframe")
        place.locator("html[data-ready]").wait_for(state="attached", timeout=60_000)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def network():
    """A model, its loss with values kept, and the gradients of a backward pass."""
    model = nn.MLP([2, 4, 1], activation="tanh", rng=1)
    x = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    with keep_values():
        loss = nn.BCEWithLogitsLoss()(model(x), np.array([[0], [1], [1]], np.float32))
    page = view(loss)
    loss.backward()
    return page, {name: parameter.grad for name, parameter in model.named_parameters()}
