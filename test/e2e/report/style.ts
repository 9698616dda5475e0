// How the page of the report looks, in light and in dark.
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1c1e21, #e6e6e3);
  --quiet: light-dark(#63676d, #9a9ea5);
  --paper: light-dark(#ffffff, #17191c);
  --raised: light-dark(#f5f5f2, #202327);
  --line: light-dark(#e2e2dd, #33373c);
  --good: light-dark(#1a6b3c, #7fd19b);
  --good-ground: light-dark(#e3f3e8, #1c3426);
  --bad: light-dark(#a3231f, #ff9d94);
  --bad-ground: light-dark(#fbe6e4, #45211f);
  --link: light-dark(#1f5fa8, #8ab8f0);
}
* { box-sizing: border-box }
body {
  max-width: 72rem; margin: 0 auto; padding: 2rem 1.5rem 5rem;
  font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
}
h1 { margin: 0; font-size: 1.7rem; letter-spacing: -.02em }
h2 { margin: 0 0 .4rem; font-size: 1.25rem; letter-spacing: -.01em }
h3 { margin: 1rem 0 0; font-size: 1rem }
p { margin: .2rem 0 }
a { color: var(--link); text-decoration: none }
a:hover { text-decoration: underline }
section { margin-top: 2.5rem }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin-top: 1rem; padding: .6rem 0; border-block: 1px solid var(--line) }
.quiet { color: var(--quiet); font-weight: 400; font-size: .9em }
.sums { display: flex; gap: .6rem; margin-top: 1rem }
.sum { padding: .35rem .9rem; border-radius: .5rem; background: var(--raised) }
.sum b { font-size: 1.25rem; font-variant-numeric: tabular-nums }
.mark { display: inline-block; padding: 0 .5rem; border-radius: 1rem; font-size: .8rem; white-space: nowrap; background: var(--raised); color: var(--quiet) }
.passed { color: var(--good); background: var(--good-ground) }
.failed { color: var(--bad); background: var(--bad-ground) }
.failures { padding: 1rem 1.2rem; border: 1px solid var(--bad); border-radius: .6rem }
pre { overflow-x: auto; margin: .5rem 0; padding: .8rem; border-radius: .4rem; background: var(--raised); font: 12px/1.45 ui-monospace, monospace }
details { margin-top: .8rem; padding: .6rem 1rem; border: 1px solid var(--line); border-radius: .6rem }
summary { cursor: pointer; font-weight: 600 }
summary .quiet { margin-left: .6rem }
table { width: 100%; margin-top: .4rem; border-collapse: collapse }
td, th { padding: .35rem .6rem .35rem 0; vertical-align: top; text-align: left }
tr + tr td, .lines tbody td { border-top: 1px solid var(--line) }
details td:first-child { width: 5.5rem }
th { color: var(--quiet); font-weight: 500; font-size: .9em }
.time { width: 6.5rem; padding-right: 0; text-align: right; color: var(--quiet); font-variant-numeric: tabular-nums; white-space: nowrap }
.figure { font-weight: 600; font-variant-numeric: tabular-nums; color: var(--good) }
.wide { overflow-x: auto }
.pictures { display: flex; flex-wrap: wrap; gap: .8rem; margin: .5rem 0 }
figure { margin: 0; width: 17rem }
figcaption { font-size: .8rem; color: var(--quiet) }
img { display: block; width: 100%; border: 1px solid var(--line); border-radius: .4rem; cursor: zoom-in; background: #fff }
img:focus { position: fixed; z-index: 1; inset: 4vh 4vw; width: 92vw; height: 92vh; object-fit: contain; cursor: zoom-out; background: var(--paper); box-shadow: 0 0 0 100vmax rgb(0 0 0 / .6); outline: 0 }
#versions table { width: auto }
#versions td:first-child { padding-right: 2rem }
`
