"""What the tests of pages ask a tab of the browser."""

import json


def step_of(tab):
    return int(tab.locator("html").get_attribute("data-step"))


def exact(locator):
    return json.loads(locator.get_attribute("data-exact"))
