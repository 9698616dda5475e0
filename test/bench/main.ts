// `npm run bench`: what one webhook process serves, and what one decision costs.
import { benchDecision } from './decision.ts'
import { benchServed } from './served.ts'

await benchServed()
benchDecision()
