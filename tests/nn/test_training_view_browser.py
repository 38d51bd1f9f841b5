"""The page of a training in a browser: it is seen in the light and the dark, runs nothing and loads nothing."""

import shutil

import numpy as np
import pytest

import nn
import optim

pytest.importorskip("matplotlib")
playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.filterwarnings("ignore"),  # of playwright's own event loop
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The page of a training with a name that would do harm."""
    path = tmp_path_factory.mktemp("pages") / "view.html"
    model = nn.Sequential({"<img src=x onerror=alert(1)>": nn.Linear(3, 1, rng=0)})
    data = nn.DataLoader((np.ones((8, 3), np.float32), np.ones((8, 1), np.float32)), batch_size=4)
    sgd = optim.SGD(model.parameters(), lr=0.1)
    nn.fit(model, sgd, nn.MSELoss(), data, epochs=2, callbacks=[nn.TrainingView(path)], progress=False)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_seen_and_does_nothing(path, scheme):
    seen = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(color_scheme=scheme)
        page.on("dialog", lambda dialog: seen.append(dialog.message))
        page.on("console", lambda message: seen.append(message.text))
        page.on("request", lambda request: seen.append(request.url))
        page.goto(path.as_uri())
        page.set_viewport_size({"width": 400, "height": 800})
        narrow = [picture.bounding_box() for picture in page.locator("svg").all()]
        page.set_viewport_size({"width": 1200, "height": 800})
        pictures = [picture.bounding_box() for picture in page.locator("svg").all()]
        style = "getComputedStyle(document.body)"
        ink, paper = page.evaluate(f"[{style}.color, {style}.backgroundColor]")
        label = page.locator("svg text").first.evaluate("element => getComputedStyle(element).fill")
        browser.close()
    assert len(pictures) == 3
    assert all(box["width"] > 200 and box["height"] > 60 for box in pictures)
    for small, box in zip(narrow, pictures, strict=True):
        assert small["width"] <= 400
        assert small["width"] / small["height"] == pytest.approx(box["width"] / box["height"], rel=0.02)
    brightness = [sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) for colour in (ink, paper)]
    assert label == ink
    assert (brightness[0] < brightness[1]) == (scheme == "light")
    assert abs(brightness[0] - brightness[1]) > 400
    assert {url for url in seen if not url.startswith("data:image/png")} == {path.as_uri()}
