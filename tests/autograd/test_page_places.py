"""The page of a tape in the places where it is read: themes, sizes, notebooks; and what must never run there."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from page_reading import exact

import autograd.page.document as document
import nn
from autograd import Tensor, keep_values, view
from autograd.errors import RendererError

pytestmark = pytest.mark.filterwarnings("ignore")  # of playwright's own event loop


def luminance(tab, selector):
    colour = tab.eval_on_selector(selector, "e => getComputedStyle(e).backgroundColor")
    return sum(float(part) for part in colour.strip("rgb()").split(",")[:3]) / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_and_the_button(opened, network, scheme):
    tab = opened(network[0], color_scheme=scheme)
    assert (luminance(tab, "#panel") > 128) == (scheme == "light")
    tab.locator("#theme").click()
    assert (luminance(tab, "#panel") > 128) == (scheme == "dark")
    tab.keyboard.press("t")
    assert (luminance(tab, "#panel") > 128) == (scheme == "light")


def test_text_can_be_read_in_both_themes(opened, network):
    """Contrast of at least 4.5 : 1 between text and what is behind it, as WCAG 2 (AA) asks."""
    tab = opened(network[0])
    pairs = [("--ink", "--paper"), ("--ink", "--ground"), ("--quiet", "--paper"), ("--quiet", "--ground")]
    pairs += [("--forward", "--paper"), ("--forward", "--forward-soft"), ("--backward", "--backward-soft")]
    pairs += [("--ink", "--parameter"), ("--ink", "--input"), ("--ink", "--output"), ("--mark", "--mark-soft")]
    for theme in ("light", "dark"):
        tab.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        for text, behind in pairs:
            colours = [tab.evaluate(COLOUR, name) for name in (text, behind)]
            low, high = sorted(_luminance(colour) for colour in colours)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (theme, text, behind, colours)


#: What a variable of the style sheet stands for: red, green and blue.
COLOUR = """name => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  return found;
}"""


def _luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"'&</svg>{{svg}}`"])
def test_names_are_shown_as_they_are_and_never_executed(opened, name):
    x = Tensor([1.0, np.nan], requires_grad=True, name=name)
    with keep_values():
        loss = (x * 2.0).sum()
    tab = opened(view(loss))
    tab.keyboard.press("End")
    assert name in tab.locator("#step").inner_text()
    assert name in tab.locator("g.node").nth(0).text_content() or tab.locator("g.node", has_text=name).count() == 1
    tab.locator("#list summary").click()
    assert tab.locator("img").count() == 0
    assert tab.locator("body script").count() == 2  # the data and ours


def test_special_values_are_readable(opened):
    x = Tensor([np.nan, np.inf, 0.0], requires_grad=True, name="odd")
    e = Tensor(np.ones((0, 3)), requires_grad=True, name="hollow")
    s = Tensor(2.5, requires_grad=True, name="single")
    big = Tensor(np.ones((3000, 3000), np.float32), requires_grad=True, name="big")
    with keep_values(), np.errstate(all="ignore"):
        loss = (x * s).sum() + e.sum() + big.mean()
    tab = opened(view(loss))
    said = {}
    for label in ("odd", "hollow", "single", "big"):
        tab.locator("#search").fill(label)
        tab.locator("#search").press("Enter")
        said[label] = tab.locator("#selection").inner_text()
    assert "NaN" in said["odd"]
    assert "∞" in said["odd"]
    assert "no elements" in said["hollow"]
    assert "2.5" in said["single"]
    assert "3000×3000" in said["big"]


def test_a_notebook_frame_works_in_its_sandbox(opened, network):
    page, grads = network
    tab = opened(page, wrapped=f"<!DOCTYPE html><meta charset=utf-8><body>{page._repr_html_()}")
    frame = tab.frame_locator("iframe")
    frame.locator("#last").click()
    for result in frame.locator("article.result").all():
        name = page.data["vertices"][result.get_attribute("data-vertex")]["label"]
        assert_array_equal(np.array(exact(result.locator(".picture")), np.float32), grads[name])
    frame.locator("#theme").click()
    frame.locator("#collapse").click()
    assert frame.locator("g.node.module").count() == 4


def test_a_page_that_is_hidden_at_first_is_drawn_when_it_is_seen(browser, network, tmp_path):
    path = tmp_path / "hidden.html"
    path.write_text(f"<!DOCTYPE html><meta charset=utf-8><div style='display:none'>{network[0]._repr_html_()}</div>")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    tab.frames[1].wait_for_function("document.readyState === 'complete'", polling=50)
    assert tab.frames[1].locator("html[data-ready]").count() == 0
    tab.eval_on_selector("div", "div => { div.style.display = 'block' }")
    frame = tab.frame_locator("iframe")
    frame.locator("html[data-ready]").wait_for(state="attached")
    frame.locator("#last").click()
    output = frame.locator("g.node.output")
    chip = frame.locator(f"g.chips > g[data-of={output.get_attribute('id')}] .chip.value").bounding_box()
    node = output.bounding_box()
    assert node["x"] < chip["x"] < node["x"] + node["width"]
    assert node["y"] < chip["y"] < node["y"] + node["height"]
    tab.close()


def test_without_a_renderer_the_browser_lays_the_graph_out(opened, network, monkeypatch):
    def nothing(source, format):
        raise RendererError("nothing here")

    monkeypatch.setattr(document, "render", nothing)
    page, _ = network
    page = type(page).__new__(type(page))
    page.__dict__.update(network[0].__dict__, _pictures=None, _html=None)
    tab = opened(page)
    assert tab.locator("g.node").count() == len(page.data["vertices"])
    tab.keyboard.press("c")
    assert tab.locator("g.node.module").count() == 4
    tab.keyboard.press("End")
    assert tab.locator("article.result").count() == 4


def test_a_released_tape_is_said_in_one_sentence(opened):
    model = nn.MLP([2, 3, 1], rng=0)
    loss = nn.MSELoss()(model(np.ones((4, 2), np.float32)), np.zeros((4, 1), np.float32))
    loss.backward()
    tab = opened(view(loss))
    assert "released" in tab.locator("#notes").inner_text()
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowLeft")
    assert tab.locator("article .formula").count() > 0
    assert tab.locator("article .picture").count() == 0


def fingers(tab, *paths):
    """Fingers on a touch screen, each along its path of points."""
    session = tab.context.new_cdp_session(tab)
    for k, points in enumerate(zip(*paths)):
        touches = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        kind = "touchMove" if k else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_in_a_notebook_one_finger_scrolls_and_two_move_and_zoom_the_graph(opened, network):
    cell = f"<!DOCTYPE html><meta charset=utf-8><body style='height:4000px'>{network[0]._repr_html_()}"
    tab = opened(network[0], wrapped=cell, has_touch=True, is_mobile=True)
    graph = tab.frame_locator("iframe").locator("#stage > svg")
    before = graph.get_attribute("viewBox")
    fingers(
        tab,
        [
            (
                300,
                350 + 60 * k,
            )
            for k in range(5)
        ],
        [(320 + 20 * k, 350 + 60 * k) for k in range(5)],
    )
    tab.wait_for_function("scrollY == 0")
    assert graph.get_attribute("viewBox") != before
    before = graph.get_attribute("viewBox")
    fingers(tab, [(300, 350 - 20 * k) for k in range(10)])
    tab.wait_for_function("scrollY > 50")
    assert graph.get_attribute("viewBox") == before


def test_a_small_window_at_200_percent_scrolls_to_the_whole_panel(opened, network):
    tab = opened(network[0], viewport={"width": 640, "height": 400})
    tab.keyboard.press("End")
    assert tab.locator("#stage").bounding_box()["height"] >= 200
    tab.locator("#panel article").last.scroll_into_view_if_needed()
    article, footer = (tab.locator(selector).last.bounding_box() for selector in ("#panel article", "footer"))
    assert article["y"] + article["height"] <= footer["y"]


def test_on_paper_the_panel_is_whole_and_there_are_no_buttons(opened, network):
    tab = opened(network[0], color_scheme="dark")
    tab.keyboard.press("End")
    tab.emulate_media(media="print")
    assert tab.locator("button:visible:not(.link)").count() == 0
    panel = tab.evaluate(
        "(({ clientHeight, scrollHeight }) => [clientHeight, scrollHeight])(document.getElementById('panel'))"
    )
    assert panel[0] == panel[1]
    assert luminance(tab, "#panel") > 128


def test_long_vectors_are_wrapped_and_wide_tables_scrolled_by_keys(opened):
    x = Tensor(np.arange(16.0) / 7, requires_grad=True, name="x")
    w = Tensor(np.arange(16.0).reshape(2, 8) / 7, requires_grad=True, name="w")
    with keep_values():
        loss = (x.reshape(2, 8) * w).sum()
    tab = opened(view(loss))
    tab.keyboard.press("End")
    vector, matrix = tab.locator("article.result table").all()
    assert vector.evaluate("table => table.scrollWidth <= table.clientWidth")
    assert matrix.evaluate("table => table.scrollWidth > table.clientWidth")
    assert matrix.get_attribute("tabindex") == "0"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (900, 600), (390, 780)])
def test_nothing_sticks_out_at_any_size(opened, network, width, height):
    tab = opened(network[0])
    tab.set_viewport_size({"width": width, "height": height})
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowLeft")
    size = tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] <= width
    assert size[1] <= height
    stage = tab.locator("#stage").bounding_box()
    assert stage["width"] > 250
    assert stage["height"] > 150
