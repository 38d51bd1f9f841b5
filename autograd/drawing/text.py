"""From vertices, edges and groups to the lines of a DOT file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from html import escape

from ..display.text import counted, shortened
from ..inspection.elements import LEAVES, Edge, Graph, Group, Vertex
from .looks import FONT, LEGEND, LOOKS, THEMES
from .notes import Notes

__all__ = ["Writer"]


#: Where all edges together are longer than this, in operations that they pass, their labels get no room of their own:
#: it would take most of the time of the layout.
LONG = 1500


class Writer:
    """Writes DOT: each vertex, edge and box with its id, and with its kind as the class that it has in SVG."""

    def __init__(self, graph: Graph, notes: Notes, theme: str, direction: str):
        self.graph, self.notes, self.colours, self.direction = graph, notes, THEMES[theme], direction
        self.vertices = {vertex.id: vertex for vertex in graph.vertices}
        dtypes = Counter(edge.dtype for edge in graph.edges if self.has_dtype(edge))
        self.dtype = max(dtypes, key=lambda name: dtypes[name], default="")  # not written on every edge
        self.mixed = len(dtypes) > 1
        self.read = {edge.source for edge in graph.edges}
        operations = [vertex.id for vertex in graph.vertices if vertex.kind not in LEAVES]
        order = {identity: k for k, identity in enumerate(operations)}
        self.main: dict[str, str] = {}  # for each operation the last that it needs: the picture goes straight there
        for edge in graph.edges:
            if order.get(edge.source, -1) > order.get(self.main.get(edge.target, ""), -1):
                self.main[edge.target] = edge.source
        length = 0
        for edge in graph.edges:
            length += order[edge.target] - order.setdefault(edge.source, order[edge.target] - 1)
        self.label_name = "label" if length <= LONG else "xlabel"

    def has_dtype(self, edge: Edge) -> bool:
        return edge.dtype != "" and self.vertices[edge.source].kind != "number"

    def lines(self) -> Iterator[str]:
        colours = self.colours
        rank = "TB" if self.direction == "down" else "LR"
        yield f'rankdir={rank} bgcolor="{colours.paper}" nodesep="0.25" ranksep="0.3" fontname="{FONT}" fontsize=10'
        yield f'fontcolor="{colours.faint}" labelloc=b label={self.legend()}'
        yield (
            f'node [fontname="{FONT}" fontsize=11 fontcolor="{colours.ink}" color="{colours.line}" height=0.3 '
            'margin="0.12,0.06"]'
        )
        yield (f'edge [fontname="{FONT}" fontsize=9 fontcolor="{colours.faint}" color="{colours.line}" arrowsize=0.6]')
        yield from self.boxes()
        for edge in self.graph.edges:
            yield self.edge(edge)
        yield from self.order()

    def boxes(self) -> Iterator[str]:
        """The vertices, each in the box of its module, which is in the box of the module around it."""
        inside: dict[str | None, list[Vertex | Group]] = defaultdict(list)
        for group in self.graph.groups:
            inside[group.parent].append(group)
        for vertex in self.graph.vertices:
            inside[vertex.group].append(vertex)
        stack: list[tuple[Vertex | Group | None, int]] = [(item, 0) for item in reversed(inside[None])]
        while stack:
            item, depth = stack.pop()
            if item is None:
                yield "}"
            elif isinstance(item, Vertex):
                yield self.vertex(item)
            else:
                yield from self.opened(item, depth)
                stack.append((None, depth))
                stack += [(part, depth + 1) for part in reversed(inside[item.id])]

    def opened(self, group: Group, depth: int) -> Iterator[str]:
        """The beginning of a box."""
        colours = self.colours
        repeat = group.kind == "repeat"
        style = "dashed,rounded" if repeat else "filled,rounded"
        fill = "" if repeat else f' fillcolor="{colours.box[depth % 2]}"'
        words = [] if repeat else [f"<B>{_text(group.label)}</B>"]
        if group.kind not in (group.label, "repeat"):
            words.append(_text(group.kind))
        if group.times > 1:
            words.append(f'<FONT POINT-SIZE="13" COLOR="{colours.ink}"><B>× {_grouped(group.times)}</B></FONT>')
        pen = 1.5 if group.times > 1 else 1
        yield f"subgraph {_quoted(f'cluster_{group.id}')} {{"
        yield (
            f'id={_quoted(group.id)} class="module {_quoted(group.kind)[1:-1]}" label=<{"&#160;&#160; ".join(words)}> '
            f'labeljust=l labelloc=t style="{style}"{fill} color="{colours.frame}" penwidth={pen} margin=9 '
            f"tooltip={_quoted(shortened(f'{group.label} ({group.kind})'))}"
        )

    def order(self) -> Iterator[str]:
        """What a module has of its own comes below what goes into it, so that boxes stand one below the other."""
        done = set()
        for edge in self.graph.edges:
            source, target = self.vertices[edge.source], self.vertices[edge.target]
            main = self.vertices.get(self.main.get(edge.target, ""))
            if source.kind not in LEAVES or source.group is None or main is None or edge.source in done:
                continue
            if source.group == target.group != main.group:
                done.add(edge.source)
                yield f"{_quoted(main.id)} -> {_quoted(edge.source)} [style=invis]"

    def vertex(self, vertex: Vertex) -> str:
        attributes = dict(LOOKS[vertex.kind])
        if vertex.kind in self.colours.fills:
            attributes["fillcolor"], attributes["color"] = self.colours.fills[vertex.kind]
        if vertex.kind == "module" and vertex.fold and any(member.kind == "output" for member in vertex.fold.members):
            attributes["color"], attributes["penwidth"] = self.colours.fills["output"][1], "2"
        attributes["id"], attributes["class"] = vertex.id, vertex.kind
        attributes["tooltip"] = self.tooltip(vertex)
        written = " ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())
        return f"{_quoted(vertex.id)} [label={self.label(vertex)} {written}]"

    def tooltip(self, vertex: Vertex) -> str:
        parts = [shortened(vertex.label)]
        if vertex.dtype:
            parts.append(f"{vertex.dtype}{list(vertex.shape)}" if vertex.kind != "number" else vertex.dtype)
        if vertex.saved:
            parts.append("kept for the backward pass")
        return " · ".join(parts)

    def label(self, vertex: Vertex) -> str:
        """The HTML-like label of a vertex: its name, and lines in small print."""
        colours, fold = self.colours, vertex.fold
        title = _text(vertex.label)
        if vertex.kind in ("parameter", "input", "module"):
            title = f"<B>{title}</B>"
        if fold is not None and fold.times > 1:
            title += f" <B>× {_grouped(fold.times)}</B>"
        if vertex.name is not None:
            title += f" → <B>{_text(vertex.name)}</B>"
        if vertex.saved:
            title += f' <FONT COLOR="{colours.saved}">■</FONT>'
        lines = []
        if fold is not None and vertex.kind == "module":
            lines.append(shortened(fold.kind))
            lines.append(counted(fold.operations, "operation"))
            if fold.parameters:
                lines.append(counted(fold.parameters, "parameter"))
        if fold is not None and vertex.kind == "row" and fold.times == 1:
            common = Counter(member.label for member in fold.members if member.kind not in LEAVES).most_common(4)
            lines.append(", ".join(name for name, _ in common[:3]) + " …" * (len(common) > 3))
        if vertex.id not in self.read and vertex.dtype and vertex.kind != "number":
            lines.append(f"{shape_text(vertex.shape)} · {vertex.dtype}")
        lines += self.notes.lines.get(vertex.id, ())
        if lines:
            colour = colours.ink if vertex.kind == "parameter" else colours.faint
            small = "<BR/>".join(_text(line, 90) for line in lines)
            title += f'<BR/><FONT POINT-SIZE="3"> <BR/></FONT><FONT POINT-SIZE="9" COLOR="{colour}">{small}</FONT>'
        return f"<{title}>"

    def edge(self, edge: Edge) -> str:
        colours = self.colours
        number = self.vertices[edge.source].kind == "number"
        attributes = {"id": edge.id, "class": "value"}
        notes = [f"{edge.dtype}{list(edge.shape)}" if not number else edge.dtype, f"input {edge.input}"]
        if self.main.get(edge.target) == edge.source:
            attributes["weight"] = "8"
        if not number:
            other = f" {edge.dtype}" if self.mixed and edge.dtype not in ("", self.dtype) else ""
            attributes[self.label_name] = f" {shape_text(edge.shape)}{other}"
        if edge.broadcast and not number:
            attributes |= {"class": "broadcast", "color": colours.broadcast, "style": "dashed", "arrowhead": "crow"}
            notes.append("broadcast")
        if edge.saved and not number:
            attributes["class"] = "saved broadcast" if edge.broadcast else "saved"
            attributes |= {"color": colours.saved, "penwidth": "1.4"}
            attributes["arrowhead"] = "boxcrow" if edge.broadcast else "box"
            notes.append("kept for the backward pass")
        attributes["tooltip"] = attributes["labeltooltip"] = " · ".join(notes)
        written = " ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())
        return f"{_quoted(edge.source)} -> {_quoted(edge.target)} [{written}]"

    def legend(self) -> str:
        """What the kinds that occur look like, and lines of text."""
        colours = self.colours
        vertices = self.graph.vertices
        kinds = {vertex.kind for vertex in vertices}
        cells = []
        for kind, (style, meaning) in LEGEND.items():
            if kind in kinds:
                fill, line = colours.fills[kind]
                cells.append(
                    f'<TABLE BORDER="1" CELLBORDER="0" CELLPADDING="2" BGCOLOR="{fill}" COLOR="{line}" STYLE="{style}">'
                    f'<TR><TD WIDTH="14" HEIGHT="8"></TD></TR></TABLE></TD><TD ALIGN="LEFT">{meaning}'
                )
        edges = [edge for edge in self.graph.edges if self.vertices[edge.source].kind != "number"]
        if any(edge.broadcast for edge in edges):
            cells.append(f'<FONT COLOR="{colours.broadcast}">- - ⋲</FONT></TD><TD ALIGN="LEFT">broadcast')
        if any(edge.saved for edge in edges) or any(vertex.saved for vertex in vertices):
            cells.append(f'<FONT COLOR="{colours.saved}">■</FONT></TD><TD ALIGN="LEFT">kept for the backward pass')
        if any(group.times > 1 for group in self.graph.groups) or any(v.fold and v.fold.times > 1 for v in vertices):
            cells.append('<B>× n</B></TD><TD ALIGN="LEFT">n equal ones in a row')
        rows = [f"<TD>{cell}   </TD>" for cell in cells]
        span = "<TD></TD>"  # long lines below must not stretch the column of the samples
        if self.direction == "right" and cells:
            rows, span = [f'<TD ALIGN="LEFT">{_table("".join(rows))}</TD>'], ""
        rows += [f'{span}<TD ALIGN="LEFT">{_text(line, 200)}</TD>' for line in self.caption()]
        return f"<{_table('</TR><TR>'.join(rows))}>" if rows else '""'

    def caption(self) -> list[str]:
        """What the drawing does not say at each edge, and what its notes say of the whole."""
        lines = list(self.notes.caption)
        if self.dtype:
            lines.insert(0, f"{self.dtype} unless it says otherwise" if self.mixed else f"all arrays are {self.dtype}")
        return lines


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as it stands on an edge: '64×3'."""
    return "×".join(map(str, shape)) if shape else "scalar"


def _table(cells: str) -> str:
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="1"><TR>{cells}</TR></TABLE>'


def _grouped(n: int) -> str:
    """A number with narrow spaces between its thousands."""
    return f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _text(name: str, length: int = 60) -> str:
    """A name of the user's as text in a label: escaped, short, and without what Graphviz or UTF-8 cannot hold."""
    text = escape(shortened(name, length)) or "␣"
    return text.replace("\\", "<FONT>\\</FONT>")  # alone, so that Graphviz does not take \N for the name of the node


def _quoted(text: str) -> str:
    """The value of an attribute: Graphviz knows HTML's entities, and backslashes of its own."""
    return '"' + escape(text).replace("\\", "\\\\") + '"'
