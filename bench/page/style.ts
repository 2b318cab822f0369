const LIGHT = ['0b62b8', 'c2410c', '15803d', '7e22ce', 'be185d', '0e7490', '854d0e', '4b5563']
const DARK = ['6cb2ff', 'ff9a5c', '5fd38a', 'c99bff', 'ff86b7', '5fd0e6', 'd9b45b', 'aab4c2']

const colours = (hues: readonly string[]) => hues.map((hue, i) => `--c${i}:#${hue}`).join(';')
const light = `--ground:#fff;--ink:#1b1f24;--soft:#59636e;--rule:#d5dae0;--warn:#fff4d6;--edge:#b7791f;${colours(LIGHT)}`
const dark = `--ground:#14171b;--ink:#e6e9ed;--soft:#9aa5b1;--rule:#343b44;--warn:#33290f;--edge:#d9a441;${colours(DARK)}`
const series = LIGHT.map((_, i) => `.f${i}{fill:var(--c${i})}.s${i}{stroke:var(--c${i})}`).join('')

export const STYLE = `
:root{color-scheme:light dark;${light}}
@media(prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:.75rem;max-width:72rem;background:var(--ground);color:var(--ink);font:1rem/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:.1rem 0}
h2{font-size:1.2rem;margin:2rem 0 .5rem;padding-top:.6rem;border-top:2px solid var(--rule)}
h3,figcaption{font-size:1rem;font-weight:600;margin:1.1rem 0 .3rem}
a{color:var(--c0)}
.soft{color:var(--soft);margin:.1rem 0}
dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .7rem;margin:.6rem 0;font-size:.88rem}
dt{color:var(--soft)}dd{margin:0}
ul{padding-left:1.1rem;margin:.5rem 0}
.caveats,.caveat{background:var(--warn);border-left:4px solid var(--edge)}
.caveats{padding:.4rem .6rem .4rem 1.6rem;font-size:.9rem}
.caveat{list-style:none;margin:.3rem 0 .3rem -1.1rem;padding:.3rem .6rem}
p.caveat{margin-left:0}
.notes{font-size:.9rem}
@media(max-width:30rem){dl,.caveats{font-size:.78rem;line-height:1.35}h1{font-size:1.15rem}}
nav{display:flex;flex-wrap:wrap;gap:.2rem .9rem;font-size:.92rem}
/* a shadow where there is more to the right; what is over it is scrolled along */
.wide{overflow-x:auto;max-width:100%;background:linear-gradient(270deg,var(--ground) 50%,transparent) right/2.5rem 100% no-repeat local,linear-gradient(270deg,color-mix(in srgb,var(--soft) 45%,transparent),transparent) right/.6rem 100% no-repeat scroll}
table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:.22rem .55rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
th:first-child{text-align:left;position:sticky;left:0;background:var(--ground)}
thead th{color:var(--soft);font-weight:500;vertical-align:bottom}
tbody th{font-weight:500}
@media(max-width:30rem){th:first-child{white-space:normal;min-width:7rem;overflow-wrap:normal}}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:.5rem 2rem;align-items:start}
figure{margin:0;max-width:30rem;min-width:0}
figure svg{display:block;width:100%;height:auto}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem .9rem;padding:0;margin:.2rem 0 .4rem;font-size:.86rem}
.legend svg.key{display:inline-block;width:.8em;height:.8em;margin-right:.35em}
details{font-size:.86rem;margin:.2rem 0}
summary{color:var(--soft);cursor:pointer}
svg text{font:11.5px system-ui,sans-serif;fill:var(--ink)}
svg .tick{fill:var(--soft);font-size:11px}
svg .value{font-size:10.5px}
svg .name{font-weight:500}
svg line,svg polyline{fill:none;stroke-width:1.8}
svg .grid{stroke:var(--rule);stroke-width:1}
svg .spread{stroke:var(--ink);stroke-width:1.3}
svg .thin{stroke-width:1.2}
svg .dashed{stroke-dasharray:5 3}
${series}
@media print{:root{color-scheme:light;${light}}body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}figure,tr,.caveats{break-inside:avoid}h3{break-after:avoid}nav,figure details{display:none}.wide{overflow:visible}table{font-size:7.5pt}th,td{padding:.1rem .3rem}.plots{grid-template-columns:1fr 1fr}figure svg:not(.key){max-height:11cm}th:first-child{position:static}}
`
