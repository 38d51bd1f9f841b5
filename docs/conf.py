"""Sphinx makes the site of this: python -m sphinx -W --keep-going -n -b html docs docs/_build/html

It reads nothing from the network. The notebooks are shown with the outputs that are stored in them; they are executed
by the tests.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))  # the packages beside this folder, installed or not

import autograd  # noqa: E402
from autograd.operators import Operators  # noqa: E402

project = "wengert"
author = "The wengert maintainers"
copyright = "2026, The wengert maintainers"
version = release = autograd.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinx-mathjax-offline",  # formulas are set in the browser, by what the site brings along
]
exclude_patterns = ["_build", "README.md"]

# Markdown, with the headings' anchors that a forge makes too
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"
nb_mime_priority_overrides = [("html", "image/svg+xml", 0), ("html", "text/html", 1)]

# Docstrings: NumPy's sections. Types stand in the text, where they say more than an annotation.
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]  # as parameters are, and not as members once more
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
default_role = "code"
highlight_language = "none"
python_use_unqualified_type_names = True
add_module_names = True
toc_object_entries_show_parents = "hide"

# What is not ours is not looked up (NumPy's and Python's classes in "Raises" and the like): that would need the
# network. Whatever begins with one of our packages must be found.
nitpick_ignore_regex = [("py:.*", r"(?!(autograd|nn|optim)\.).*")]

html_theme = "furo"
html_title = "wengert"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "sidebar_hide_name": False,
    "light_css_variables": {
        "color-brand-primary": "#1f5f8b",
        "color-brand-content": "#1f5f8b",
        "color-api-name": "#1f5f8b",
        "color-api-pre-name": "#5a6a78",
    },
    "dark_css_variables": {
        "color-brand-primary": "#8cc4e8",
        "color-brand-content": "#8cc4e8",
        "color-api-name": "#8cc4e8",
        "color-api-pre-name": "#a4b2be",
    },
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


# The notebooks lie in a folder of their own, beside this one, and become pages


def copy_notebooks(app: Sphinx) -> None:
    """Put the notebooks where Sphinx reads, with their links into this folder made relative to it."""
    there = HERE / "notebooks"
    there.mkdir(exist_ok=True)
    wanted = {path.name: path for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
    for path in there.iterdir():
        if path.is_file() and path.name not in wanted:
            path.unlink()
    for name, path in wanted.items():
        text = path.read_text(encoding="utf-8").replace("](../docs/", "](../")
        text = re.sub(r"\]\(\.\./(examples|benchmarks)/", r"](../../\1/", text)
        copy = there / name
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            copy.write_text(text, encoding="utf-8")


def links_to_notebooks(app: Sphinx, page: str, source: list[str]) -> None:
    """On a page, links to notebooks lead to the folder beside this one, as they must where the repository is shown."""
    up = "../" * page.count("/")
    source[0] = source[0].replace(f"]({up}../notebooks/", f"]({up}notebooks/")


# Docstrings


def prepare(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """A docstring as it is written for a terminal, made ready for reStructuredText.

    Formulas and code that are indented by four keep their lines, as after two colons; elsewhere |x| is an absolute
    value and no substitution. In the sections of a docstring, descriptions are indented without an empty line before
    them, and so are not meant.
    """
    if name == "autograd.Tensor":
        lines += numpys_methods()
    kept = -1  # how far the line was indented after which lines are kept as they are
    done: list[str] = []
    for k, line in enumerate(lines):
        depth = len(line) - len(line.lstrip())
        if kept >= 0 and line and depth <= kept:
            kept = -1
        if kept >= 0 or line.lstrip().startswith((">>>", "...")):
            done.append(line)
            continue
        parts = re.split(r"(`+[^`]*`+)", line)
        done.append("".join(part if part.startswith("`") else part.replace("|", r"\|") for part in parts))
        then = lines[k + 2] if line and k + 2 < len(lines) and not lines[k + 1] else ""
        if len(then) - len(then.lstrip()) >= depth + 4:
            kept = depth
            if not line.endswith(":"):
                done += ["", " " * depth + "::"]
            elif not line.endswith("::"):
                done[-1] += ":"
    lines[:] = done


#: Name -> the description of an attribute, as it was before napoleon took what stands before a colon for a type.
attributes: dict[str, list[str]] = {}


def remember(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep the description of an attribute that has no sections."""
    if what in ("attribute", "data", "property") and not any(line.startswith("---") for line in lines):
        attributes[name] = list(lines)


def restore(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Take back what `remember` kept."""
    lines[:] = attributes.pop(name, lines)


def numpys_methods() -> list[str]:
    """A paragraph for the description of Tensor, in place of NumPy's own descriptions of its methods."""
    names = [name for name in vars(Operators) if not name.startswith("_")]
    return [
        "Python's operators work, and so do these of NumPy's methods and attributes. They are recorded as the "
        f"functions of the same names are: {', '.join(f'`{name}`' for name in sorted(names, key=str.lower))}.",
        "",
    ]


def skip(app: Any, what: str, name: str, obj: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out NumPy's methods, and the fields of tuples, which are described where the class is."""
    if vars(Operators).get(name) is obj or type(obj).__name__ == "_tuplegetter":
        return True
    return None


def trim(app: Sphinx, document: nodes.document) -> None:
    """Take away the empty line that ends an example, for doctest, before the block does."""
    for block in document.findall(nodes.literal_block):
        text = block.astext().rstrip()
        if block.rawsource == block.astext() != text:
            block.rawsource = text
            block[:] = [nodes.Text(text)]


class Links(SphinxPostTransform):
    """What is set as code and is the name of something public, `nn.fit` or `Tensor`, becomes a link to it."""

    default_priority = 15  # after references are resolved

    def run(self, **kwargs: Any) -> None:
        if self.app.builder.format != "html":
            return
        objects = self.env.domains["py"].data["objects"]
        for node in list(self.document.findall(nodes.literal)):
            above, inside = node.parent, False
            while above is not None and not inside:
                inside = isinstance(above, nodes.reference | nodes.title | addnodes.desc_signature)
                above = above.parent
            if inside:
                continue
            around = self.around(node)
            name = self.documented(node.astext(), objects, {name.rpartition(".")[0] + "." for name in around})
            if name is None or name in around:
                continue
            entry = objects[name]
            target = make_refnode(
                self.app.builder, self.env.docname, entry.docname, entry.node_id, [node.deepcopy()], name
            )
            node.replace_self(target)

    @staticmethod
    def around(node: nodes.Node) -> set[str]:
        """What the descriptions that a node stands in are of."""
        names: set[str] = set()
        while node is not None:
            if isinstance(node, addnodes.desc):
                names.update(i for s in node.findall(addnodes.desc_signature) for i in s.get("ids", []))
            node = node.parent
        return names

    def documented(self, text: str, objects: dict[str, Any], packages: set[str]) -> str | None:
        """Under which name the reference has what is called `text` where these packages are described."""
        text = text.removesuffix("()").removeprefix("@")
        if not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", text) or text in {"nn", "optim", "autograd"}:
            return None
        for prefix in ("", "autograd.", "nn.", "optim."):
            name = prefix + text
            if name in objects and (prefix == "" or text[0].isupper() or name in UNQUALIFIED):
                return name
            if name in ALIASES and (prefix == "" or text[0].isupper()) and ALIASES[name] in objects:
                return ALIASES[name]
        if text[0].isupper() or "_" in text:  # other names may well be a parameter or a variable
            return next((package + text for package in sorted(packages) if package + text in objects), None)
        return None


#: Functions that stand in prose without their module.
UNQUALIFIED = {
    "autograd." + name
    for name in (
        *("check_gradients", "checkpoint", "define", "detect_anomaly", "elementwise_grad", "explain", "jacobian"),
        *("hessian", "keep_values", "make_hvp", "make_jvp", "make_vjp", "no_grad", "stop_gradient"),
        *("straight_through", "value_and_grad"),
    )
}


def aliases() -> dict[str, str]:
    """Other names of public objects -> those under which the reference has them."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (HERE / "api").glob("*.rst"))
    listed = re.findall(r"^\.\. (?:auto(?!module)\w+|py:data):: ([\w.]+)", text, re.M)
    found: dict[int, str] = {}
    for name in listed:
        package, _, attribute = name.rpartition(".")
        found[id(getattr(importlib.import_module(package), attribute))] = name
    names = {}
    for package in ("autograd", "nn", "nn.functional", "nn.init", "optim"):
        module = importlib.import_module(package)
        for attribute in module.__all__:
            value = getattr(module, attribute)
            if not inspect.ismodule(value) and id(value) in found:
                names[f"{package}.{attribute}"] = found[id(value)]
    return names


ALIASES = aliases()


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", copy_notebooks)
    app.connect("source-read", links_to_notebooks)
    app.connect("autodoc-process-docstring", prepare, priority=100)  # before the sections are read
    app.connect("autodoc-process-docstring", remember, priority=200)
    app.connect("autodoc-process-docstring", restore, priority=900)  # after the sections were read
    app.connect("autodoc-skip-member", skip)
    app.connect("doctree-read", trim)
    app.add_post_transform(Links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
