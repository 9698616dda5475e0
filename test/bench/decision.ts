// Time of one decision alone, with facts of very different sizes: it is to stay the same.
import { defaultConfig } from '../../src/api/config.ts'
import { plan } from '../../src/core/planner.ts'
import { FactStore } from '../../src/facts/store.ts'
import { gateways } from '../../src/gateways/index.ts'
import { facts, ingress, teamName } from './inputs.ts'

const ROUTES = [10, 12_000]
const TEAMS = [1, 500]
const WARM_UP = 5_000
const BATCH = 1_000
const BATCHES = 25

export function benchDecision(): void {
  const sizes = TEAMS.flatMap(teams => ROUTES.map(routes => ({ teams, routes, store: storeOf(teams, routes) })))
  const object = ingress('measured', teamName(0), `measured.${teamName(0)}.example.com`)
  const decide = (store: FactStore) => plan(object, store, gateways)
  for (const { store } of sizes) {
    if (decide(store).outcome !== 'protect') throw new Error('the measured Ingress is not protected')
    for (let i = 0; i < WARM_UP; i++) decide(store)
  }
  const times: number[][] = sizes.map(() => [])
  // In turns, and the median of the batches: whatever else runs meets all of them.
  for (let batch = 0; batch < BATCHES; batch++)
    for (const [i, { store }] of sizes.entries()) times[i]!.push(time(() => decide(store)))
  const micros = times.map(median)
  console.log(`decision: plan of one Ingress, median of ${BATCHES} batches of ${BATCH}`)
  console.table(
    sizes.map(({ teams, routes }, i) => ({
      teams,
      routes,
      'µs each': Math.round(micros[i]! * 100) / 100,
      'of the smallest': `${(micros[i]! / micros[0]!).toFixed(2)} x`,
    })),
  )
}

function storeOf(teams: number, routes: number): FactStore {
  const store = new FactStore(defaultConfig())
  for (const document of facts(teams)) store.put(document)
  for (let i = 0; i < routes; i++) {
    const team = teamName(i % teams)
    store.put(ingress(`route-${i}`, team, `route-${i}.${team}.example.com`))
  }
  return store
}

/** µs for each call. */
function time(call: () => unknown): number {
  const started = performance.now()
  for (let i = 0; i < BATCH; i++) call()
  return ((performance.now() - started) * 1000) / BATCH
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
