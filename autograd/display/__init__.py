"""How Tensors and tapes look in a notebook: short HTML, escaped, of bounded size, in its light and its dark theme.

`html.py` builds the HTML, `values.py` shows the values of an array, `tensor.py` and `tape.py` use them; they are
imported when something is displayed for the first time. `text.py` makes short texts of numbers and names.
"""
