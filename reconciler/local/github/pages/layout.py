"""What all pages share: one column, readable on a phone, light and dark."""

from __future__ import annotations

from html import escape

STYLE = """
:root{color-scheme:light dark;--line:#d1d9e0;--soft:#f6f8fa;--dim:#59636e;--link:#0969da;
--add:#dafbe1;--del:#ffebe9;--hunk:#ddf4ff;--green:#1a7f37;--red:#d1242f;--amber:#9a6700;
--purple:#8250df}
@media(prefers-color-scheme:dark){:root{--line:#3d444d;--soft:#151b23;--dim:#9198a1;
--link:#4493f8;--add:#12261e;--del:#25171c;--hunk:#131d2e;--green:#3fb950;--red:#f85149;
--amber:#d29922;--purple:#ab7df8}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;max-width:980px;margin:0 auto;padding:16px}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
h1{font-size:1.6em;margin:.4em 0}h1,h2,h3{line-height:1.25;overflow-wrap:anywhere}
h1 small{color:var(--dim);font-weight:400}
.dim{color:var(--dim)}
.box{border:1px solid var(--line);border-radius:6px;margin:16px 0;overflow:hidden}
.box>header{background:var(--soft);padding:8px 16px;border-bottom:1px solid var(--line);
font-size:.9em;overflow-wrap:anywhere}
.box>div,.row{padding:8px 16px}.row+.row{border-top:1px solid var(--line)}
.state{display:inline-block;border-radius:2em;padding:2px 12px;color:#fff;font-size:.85em}
.open,.success{background:var(--green)}.closed,.failure,.error{background:var(--red)}
.merged{background:var(--purple)}.pending,.draft{background:var(--amber)}
.words{overflow-wrap:break-word}
.words table{display:block;overflow-x:auto;border-collapse:collapse;max-width:100%}
.words td,.words th{border:1px solid var(--line);padding:4px 10px;text-align:left}
pre{background:var(--soft);padding:12px;border-radius:6px;overflow-x:auto;font-size:.85em}
code{font-family:ui-monospace,monospace;background:var(--soft);border-radius:4px;padding:.1em .3em}
pre code{padding:0;background:none;display:block;width:max-content;min-width:100%}
pre .add,pre .del,pre .hunk,pre .line{display:block}pre .line:target{background:var(--hunk)}
.add{background:var(--add)}.del{background:var(--del)}.hunk{background:var(--hunk)}
blockquote{margin:0;padding:0 1em;color:var(--dim);border-left:4px solid var(--line)}
.alert{border-left:4px solid var(--link);padding:4px 16px;margin:8px 0}
.alert-title{font-weight:600;color:var(--link)}
.alert-tip{border-color:var(--green)}.alert-tip .alert-title{color:var(--green)}
.alert-important{border-color:var(--purple)}.alert-important .alert-title{color:var(--purple)}
.alert-warning{border-color:var(--amber)}.alert-warning .alert-title{color:var(--amber)}
.alert-caution{border-color:var(--red)}.alert-caution .alert-title{color:var(--red)}
form{display:flex;flex-wrap:wrap;gap:8px;padding:8px 16px;align-items:center}
form label{margin-right:auto}
input,textarea{flex:1 0 100%;min-width:0}
input,textarea,select,button{font:inherit;padding:6px 10px;border:1px solid var(--line);
border-radius:6px;background:var(--soft);color:inherit}
button{cursor:pointer}button[value=merge],button[value=open]{background:#1f883d;color:#fff}
.mention{font-weight:600}summary{cursor:pointer}img{max-width:100%}
"""


def document(title: str, *parts: str) -> bytes:
    """A whole page; `parts` are HTML already."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    ).encode()


def box(header: str, *parts: str, anchor: str = "") -> str:
    """A bordered box; all arguments but `anchor` are HTML already."""
    name = f' id="{escape(anchor)}"' if anchor else ""
    return f'<section class="box"{name}><header>{header}</header>{"".join(parts)}</section>'


def pill(state: str, words: str = "") -> str:
    """A coloured word."""
    return f'<span class="state {escape(state)}">{escape(words or state)}</span>'


def link(url: str, words: str) -> str:
    return f'<a href="{escape(url)}">{escape(words)}</a>'
