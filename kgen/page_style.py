"""How pages look, in light and in dark; no file beside them, no script."""

STYLE = """
:root { color-scheme: light dark; --back: #fafaf8; --card: #fff; --ink: #1d1f23; --soft: #62666e;
  --line: #e2e2dd; --bar: #5b8def; --good: #2c8a4b; --look: #b7791f; --bad: #c53030; }
@media (prefers-color-scheme: dark) { :root { --back: #16181c; --card: #1f2227; --ink: #e8e8e6;
  --soft: #9aa0a9; --line: #33373e; --bar: #5b8def; --good: #58c27d; --look: #e0a84a;
  --bad: #f07178; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC",
    "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif; }
header, main { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 30px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 20px; margin: 0 0 12px; }
h3 { font-size: 16px; margin: 20px 0 4px; }
p { margin: 4px 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 20px 24px; margin: 18px 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px;
  margin-top: 16px; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 12px 16px; }
.tiles b { display: block; font-size: 19px; overflow-wrap: anywhere; }
.tiles span, small { color: var(--soft); font-size: 13px; }
.findings { list-style: none; padding: 0; margin: 0; }
.findings li { padding: 5px 0 5px 30px; position: relative; }
.findings li::before { position: absolute; left: 4px; font-weight: 700; }
.good::before { content: "✓"; color: var(--good); }
.look::before { content: "!"; color: var(--look); left: 8px !important; }
.bad::before { content: "✗"; color: var(--bad); }
pre { background: var(--back); border: 1px solid var(--line); border-radius: 8px;
  padding: 12px 14px; margin: 0 0 12px; white-space: pre-wrap; overflow-wrap: anywhere;
  user-select: all; font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace; }
ul { margin: 0; padding-left: 22px; }
li { margin: 3px 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; padding: 3px 14px 3px 0; vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; }
.wide { overflow-x: auto; }
.wide table { width: 100%; }
.wide td { border-top: 1px solid var(--line); }
.wide td:nth-child(2), .wide th:nth-child(2) { width: 60px; }
.wide td:first-child { width: 36%; }
.wide td.kind { width: auto; padding-top: 12px; border-top-width: 2px; }
.columns { display: flex; flex-wrap: wrap; gap: 8px 40px; }
.bars { flex: 1 1 280px; margin-top: 12px; align-self: flex-start; }
.bars caption { text-align: left; color: var(--soft); font-size: 13px; }
.bars td:first-child { width: 45%; }
.bars .bar { width: 40%; padding-top: 9px; }
.bars i { display: block; height: 8px; min-width: 2px; border-radius: 4px;
  background: var(--bar); }
.bars .number { text-align: right; padding-right: 0; font-variant-numeric: tabular-nums; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 16px; }
.group { border-top: 1px solid var(--line); padding: 14px 0; }
.group:first-of-type { border-top: 0; padding-top: 0; }
figure { margin: 0; }
figure img { display: block; border-radius: 6px; border: 1px solid var(--line);
  background: #8884; }
.strips { display: flex; flex-wrap: wrap; gap: 20px 22px; margin-top: 12px; }
.strips figure { flex: 0 0 auto; max-width: 100%; width: min-content; }
.strip { display: flex; gap: 4px; max-width: 100%; overflow-x: auto; }
.strip div { flex: 0 0 auto; }
.strip small { display: block; line-height: 1.3; }
.pixelated img { image-rendering: pixelated; }
.scrolled { overflow-x: auto; }
.figures { width: 100%; font-variant-numeric: tabular-nums; }
.figures td, .figures th { border-top: 1px solid var(--line); padding: 5px 14px 5px 0; }
.figures tr:first-child th { border-top: 0; }
.figures .bar { width: 22%; padding-top: 13px; }
.figures i { display: block; height: 8px; min-width: 2px; border-radius: 4px;
  background: var(--bar); }
.part { margin-top: 10px; }
.columns .part { flex: 1 1 280px; }
.note { color: var(--soft); font-size: 14px; }
figcaption { margin-top: 6px; font-size: 13px; line-height: 1.4; overflow-wrap: anywhere; }
"""
