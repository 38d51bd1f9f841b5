"""Reads HTML as a browser would: the elements that there are, their text, and whether each is closed."""

from html.parser import HTMLParser

#: Elements without an end.
VOID = {"meta", "br", "hr"}

#: What would run, or load something from elsewhere.
ACTIVE = {"script", "iframe", "object", "embed", "link", "base", "form"}


class Read(HTMLParser):
    """What is in a text of HTML."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.said = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.said.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.said).split())


def read(html):
    """What is in HTML that is whole and does nothing."""
    found = Read(html)
    assert not ACTIVE & set(found.tags)
    for tag, name, value in found.attributes:
        assert not name.startswith("on"), f"<{tag} {name}>"
        if name in ("href", "src", "xlink:href"):
            assert value.startswith(("#", "data:image/png;base64,")), value
    return found
