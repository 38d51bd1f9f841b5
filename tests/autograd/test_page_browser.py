"""Stepping through a tape on its page, in headless Chromium: what a reader sees, presses and hears."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from page_reading import exact, step_of

from autograd import Tensor, keep_values, view

pytestmark = pytest.mark.filterwarnings("ignore")  # of playwright's own event loop


def test_stepping_to_the_end_shows_the_gradients_of_the_backward_pass(opened, network):
    page, grads = network
    tab = opened(page)
    count = len(page.data["steps"])
    for k in range(1, count):
        tab.keyboard.press("ArrowRight")
        assert step_of(tab) == k
    results = tab.locator("#step article.result")
    assert results.count() == len(grads)
    for result in results.all():
        name = page.data["vertices"][result.get_attribute("data-vertex")]["label"]
        assert_array_equal(np.array(exact(result.locator(".picture")), np.float32), grads[name])
    tab.keyboard.press("ArrowRight")
    assert step_of(tab) == count - 1
    tab.keyboard.press("ArrowLeft")
    assert step_of(tab) == count - 2
    tab.keyboard.press("Home")
    assert step_of(tab) == 0


def test_the_first_step_says_what_the_symbols_mean(opened, network):
    said = opened(network[0]).locator("#step .notation").inner_text()
    assert said == ("J is the result. The gradient ∂J/∂W1 says how J changes with W1. δ1 is short for ∂J/∂z1.")


def test_a_backward_step_shows_the_cotangent_the_formulas_and_what_is_added(opened):
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    with keep_values():
        loss = np.sum(x * x)
    tab = opened(view(loss))
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    step = tab.locator("#step")
    assert "backward" in step.locator(".phase").inner_text()
    assert exact(step.locator("> .picture")) == [1.0, 1.0]
    assert [exact(part.locator(".picture").first) for part in step.locator("article").all()] == [[1.0, 2.0], [1.0, 2.0]]
    assert exact(step.locator("article").nth(1).locator(".picture").nth(1)) == [2.0, 4.0]
    assert all("x" in formula.inner_text() for formula in step.locator(".formula").all())
    assert "gradient of x" in step.locator("article").nth(1).locator(".done").inner_text()


def test_an_operation_with_several_results_gets_a_cotangent_for_each(opened):
    a = Tensor(np.eye(2) + 1.0, requires_grad=True, name="a")
    with keep_values():
        q, r = np.linalg.qr(a)
        loss = np.sum(q) * 2.0 + np.sum(r) * 3.0
    page = view(loss)
    [number] = [k for k, step in enumerate(page.data["steps"]) if step["phase"] == "backward" and _is_qr(page, step)]
    tab = opened(page)
    for _ in range(number):
        tab.keyboard.press("ArrowRight")
    shown = [exact(picture) for picture in tab.locator("#step > .picture").all()]
    assert shown == [[[2.0, 2.0], [2.0, 2.0]], [[3.0, 3.0], [3.0, 3.0]]]
    loss.backward()
    assert_array_equal(exact(tab.locator("#step article .picture")), a.grad)


def _is_qr(page, step):
    return page.data["vertices"][step["at"]]["label"] == "linalg.qr"


def test_values_appear_in_the_forward_pass_and_gradients_in_the_backward_pass(opened, network):
    tab = opened(network[0])
    nodes = tab.locator("g.node").count()
    assert tab.locator("g.node.todo").count() == len([s for s in network[0].data["steps"] if s["phase"] == "forward"])
    assert tab.locator(".chip.grad").count() == 0
    tab.keyboard.press("End")
    assert tab.locator("g.node.todo").count() == 0
    assert 0 < tab.locator(".chip.grad").count() <= nodes
    assert tab.locator(".chip.grad.partial").count() == 0


def test_one_module_is_collapsed_and_expanded_by_mouse_and_by_key(opened, network):
    tab = opened(network[0])
    before = tab.locator("g.node:visible").count()
    module = tab.get_by_role("button", name="Collapse linear1")
    module.locator("text").first.click()
    box = tab.get_by_role("button", name="Expand linear1")
    assert "1 operation" in box.text_content()
    assert "12 parameter" in box.text_content()
    assert tab.locator("g.node:visible").count() == before - 3
    box.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("g.node:visible").count() == before
    assert tab.evaluate("document.activeElement.getAttribute('aria-label')") == "Collapse linear1"
    tab.keyboard.press("Enter")
    assert tab.locator("g.node:visible").count() == before - 3


def test_all_modules_are_collapsed_and_expanded(opened, network):
    tab = opened(network[0])
    before = tab.locator("g.node").count()
    tab.get_by_role("button", name="Collapse all").click()
    assert tab.locator("g.node.module").count() == 4  # linear1, tanh1, linear2, and the loss
    assert tab.locator("g.node").count() == 6  # and x and the targets
    tab.keyboard.press("ArrowRight")  # a step inside: its module is marked
    assert "linear1" in tab.locator("g.node.now").text_content()
    tab.locator("g.node", has_text="linear2").click()
    assert "1 operation, 5 parameters" in tab.locator("#selection").inner_text()
    tab.get_by_role("button", name="Open it").click()
    assert tab.locator("g.node").count() == before
    assert "z2" in tab.locator("#selection h2").inner_text()
    tab.keyboard.press("c")
    assert tab.locator("g.node").count() == 6
    tab.keyboard.press("e")
    assert tab.locator("g.node").count() == before


def test_nested_modules_are_collapsed_one_in_another(opened, network):
    tab = opened(network[0])
    before = tab.locator("g.node:visible").count()
    tab.get_by_role("button", name="Collapse linear1").press("Enter")
    tab.get_by_role("button", name="Collapse MLP").press("Enter")
    assert tab.locator("g.folded").count() == 1
    assert tab.locator("g.node:visible").count() == 4  # x, the targets, and two operations of the loss
    tab.keyboard.press("ArrowRight")  # a step inside: the box is marked
    assert tab.locator("g.folded.now").count() == 1
    tab.get_by_role("button", name="Expand MLP").press("Enter")
    assert tab.locator("g.folded").count() == 1  # linear1 is still closed
    tab.keyboard.press("e")
    assert tab.locator("g.node:visible").count() == before
    assert tab.locator("g.edge:visible").count() == tab.locator("g.edge").count()


def test_search_finds_names_operations_shapes_and_opens_modules(opened, network):
    tab = opened(network[0])
    tab.get_by_role("button", name="Collapse linear2").press("Enter")
    tab.keyboard.press("/")
    tab.keyboard.type("linear2.weight")
    assert tab.locator("#found").inner_text() == "1 hit"
    assert tab.locator("g.node.match").count() == 1
    tab.keyboard.press("Enter")
    assert tab.locator("g.node.match:visible").count() == 1
    assert "linear2.weight" in tab.locator("#selection").inner_text()
    tab.locator("#search").fill("3x4")
    assert tab.locator("#found").inner_text() == "2 hits"
    tab.locator("#search").fill("nothing like this")
    assert tab.locator("#found").inner_text() == "no hits"
    tab.keyboard.press("Escape")
    assert tab.locator("g.node.dim").count() == 0


def test_a_click_selects_a_node_and_leads_to_its_steps(opened, network):
    tab = opened(network[0])
    tab.locator("g.node", has_text="tanh").click()
    assert "not computed yet" in tab.locator("#selection").inner_text()
    tab.get_by_role("button", name="Go to its backward step").click()
    assert "backward" in tab.locator("#step .phase").inner_text()
    assert "tanh" in tab.locator("#step h2").inner_text()
    tab.keyboard.press("Escape")
    assert tab.locator("#selection").is_hidden()


def test_play_goes_to_the_end_and_pause_stops(opened, network):
    tab = opened(network[0])
    tab.clock.install()
    tab.keyboard.press(" ")
    assert tab.locator("#play").get_attribute("aria-label") == "Pause"
    tab.clock.run_for(2000)
    assert step_of(tab) == 2
    tab.keyboard.press(" ")
    tab.clock.run_for(10_000)
    assert step_of(tab) == 2
    tab.locator("#speed").select_option("200")
    tab.locator("#play").click()
    last = len(network[0].data["steps"]) - 1
    said = tab.locator("#live").text_content()
    tab.clock.run_for(200 * (last - 3))
    assert step_of(tab) == last - 1
    assert tab.locator("#live").text_content() == said  # too fast to be spoken
    tab.clock.run_for(200)
    assert step_of(tab) == last
    assert tab.locator("#play").get_attribute("aria-label") == "Play"


def test_each_step_is_announced_and_everything_has_a_name(opened, network):
    tab = opened(network[0])
    tab.keyboard.press("ArrowRight")
    assert tab.locator("#live").inner_text().startswith("step 1 of 11: forward: z1, linear")
    tab.keyboard.press("End")
    tab.keyboard.press("ArrowLeft")
    assert "W1 gets" in tab.locator("#live").inner_text()
    nameless = tab.evaluate(
        "[...document.querySelectorAll('button, input, select, [role=button], [role=img]')]"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []
    tab.keyboard.press("?")
    assert tab.locator("dialog").is_visible()
    tab.keyboard.press("Escape")
    assert tab.locator("dialog").is_hidden()
    tab.locator("#list summary").click()
    tab.locator("#list button").nth(3).click()
    assert step_of(tab) == 3
    assert tab.locator("#list [aria-current=step]").count() == 1


def test_arrows_in_the_graph_walk_along_its_edges(opened, network):
    tab = opened(network[0])
    tab.locator("g.node", has_text="tanh").click()
    tab.keyboard.press("ArrowUp")
    assert "z1" in tab.locator("#selection h2").inner_text()
    tab.keyboard.press("ArrowDown")
    assert "a1" in tab.locator("#selection h2").inner_text()


def test_pan_and_zoom_by_wheel_drag_and_keys(opened, network):
    tab = opened(network[0])
    box = lambda: [float(x) for x in tab.locator("#stage > svg").get_attribute("viewBox").split()]  # noqa: E731
    whole = box()
    tab.mouse.move(400, 400)
    tab.mouse.wheel(0, -400)
    tab.wait_for_function("w => document.querySelector('#stage > svg').viewBox.baseVal.width < w", arg=whole[2] * 0.9)
    near = box()
    tab.mouse.move(60, 700)
    tab.mouse.down()
    tab.mouse.move(160, 650, steps=3)
    tab.mouse.up()
    assert box()[0] < near[0]
    assert box()[1] > near[1]
    tab.keyboard.press("0")
    assert box() == pytest.approx(whole)
    tab.keyboard.press("+")
    assert box()[2] < whole[2]


def test_the_step_stays_in_view_while_an_arrow_key_is_held(opened):
    y = Tensor(np.ones((2, 2)), requires_grad=True, name="x")
    for _ in range(60):
        y = np.sin(y)
    tab = opened(view(y.sum()), reduced_motion="no-preference")
    assert tab.evaluate(HELD) == []


#: Presses → once a frame; the steps whose node is out of sight.
HELD = """async () => {
  const lost = [], stage = document.getElementById("stage");
  for (let k = 0; k < 60; k++) {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    await new Promise(requestAnimationFrame);
    const seen = stage.getBoundingClientRect(), node = stage.querySelector("g.node.now").getBoundingClientRect();
    if (node.bottom < seen.top || node.top > seen.bottom) lost.push(k);
  }
  return lost;
}"""


def test_a_drag_is_no_click_but_the_press_of_a_screen_reader_after_it_is(opened, network):
    tab = opened(network[0])
    box = tab.locator("g.node", has_text="tanh").bounding_box()
    tab.mouse.move(box["x"] + 9, box["y"] + 9)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 60, box["y"] + 40, steps=3)
    tab.mouse.up()
    assert tab.locator("#selection").is_hidden()
    tab.locator("g.node", has_text="tanh").evaluate("node => node.dispatchEvent(new MouseEvent('click'))")
    assert tab.locator("#selection").is_visible()


def test_a_step_button_keeps_the_focus_at_the_end(opened, network):
    tab = opened(network[0])
    tab.keyboard.press("ArrowRight")
    tab.locator("#back").focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("Enter")
    assert step_of(tab) == 0
    assert tab.evaluate("document.activeElement.id") == "back"
    assert tab.locator("#back").get_attribute("aria-disabled") == "true"


def test_a_focused_node_is_pressed_by_space_and_framed_by_its_own_shape(opened, network):
    tab = opened(network[0])
    tab.locator("g.node", has_text="tanh").focus()
    tab.keyboard.press(" ")
    assert "a1" in tab.locator("#selection h2").inner_text()
    assert step_of(tab) == 0
    tab.locator("g.node.output").click()
    assert tab.locator("g.node.output").evaluate("node => getComputedStyle(node).outlineStyle") == "none"


def test_without_modules_there_is_nothing_to_collapse(opened):
    tab = opened(view(np.sum(Tensor([1.0], requires_grad=True) * 2.0)))
    tab.keyboard.press("c")
    assert tab.locator("#live").text_content() == ""


def test_what_changes_in_a_closed_module_is_in_its_place_when_it_is_opened(opened, network):
    tab = opened(network[0])
    tab.get_by_role("button", name="Collapse MLP").press("Enter")
    tab.keyboard.press("End")
    tab.get_by_role("button", name="Expand MLP").press("Enter")
    for node in tab.locator("g.node.parameter").all():
        frame, name = node.bounding_box(), node.get_attribute("id")
        chips = tab.locator(f"g.chips > g[data-of={name}] .chip")
        assert chips.count() == 2
        for chip in chips.all():
            box = chip.bounding_box()
            assert frame["x"] < box["x"] < frame["x"] + frame["width"]
            assert frame["y"] < box["y"] + box["height"] / 2 < frame["y"] + frame["height"]


def test_a_large_graph_is_drawn_folded_and_stepped_in_full(opened):
    y = Tensor([1.0], requires_grad=True, name="x")
    for _ in range(330):
        y = y * 1.0
    page = view(y.sum())
    tab = opened(page)
    assert tab.locator("g.node").count() < 300
    tab.keyboard.press("End")
    assert exact(tab.locator("article.result .picture")) == [1.0]
    tab.locator("g.node", has_text="operations").first.click()
    assert "drawn as one" in tab.locator("#selection").inner_text()
