// `npm run bench [-- part…]`: what a create costs through an API server, what one process serves, what a decision costs.
import { benchDecision } from './decision.ts'
import { benchEndToEnd } from './end-to-end.ts'
import { benchServed } from './served.ts'

// End to end first: it needs both cores, and what is served is measured with this process on one of them.
const parts: Readonly<Record<string, () => void | Promise<void>>> = {
  'end-to-end': benchEndToEnd,
  served: benchServed,
  decision: benchDecision,
}
const asked = process.argv.slice(2)
for (const each of asked) if (parts[each] === undefined) throw new Error(`no ${each}: ${Object.keys(parts).join(', ')}`)
for (const [name, run] of Object.entries(parts)) if (asked.length === 0 || asked.includes(name)) await run()
