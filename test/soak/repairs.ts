// What somebody breaks, and how long it stays so: a guard that is deleted, a caBundle that is overwritten.
import { setTimeout as sleep } from 'node:timers/promises'
import { createAuthority } from '../../src/certificates/authority.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { Api, Reply } from '../integration/api.ts'
import type { Gate } from './gate.ts'

export type Repairs = {
  /** ms of each. */
  readonly guards: number[]
  readonly bundles: number[]
  /** Not made in time. */
  readonly missed: string[]
}

export const GUARDS = '/apis/gateway.envoyproxy.io/v1alpha1/namespaces/shops/securitypolicies'
/** Seldom enough for the same object not to be taken for a fight: that is six times a minute. */
const EVERY_MS = 15_000
const LOOK_EVERY_MS = 100
/**
 * Two minutes where nothing else is to be done: a leader that has just ended is followed after twenty seconds, and looks at
 * everything first. In looks, which take as much longer as all the rest does on a machine that others use too.
 */
const MOST_LOOKS = 1_200
const VALIDATING = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/portcullis'

export async function breakThings(api: Api, gate: Gate, repairs: Repairs): Promise<void> {
  const foreign = Buffer.from((await createAuthority(new Date())).cert).toString('base64')
  for (let turn = 0; !gate.isOver(); turn++) {
    if (turn % 2 === 0) await deleteGuard(api, gate, repairs)
    else await overwriteBundle(api, gate, foreign, repairs)
    await sleep(EVERY_MS)
  }
}

/** Those of one team. An API server that has just started does not know of the kind for a moment, or asks to come again. */
export async function guards(api: Api): Promise<KubeObject[]> {
  const { status, body } = await api.send('GET', GUARDS)
  if (status === 200) return array(body.items) as unknown as KubeObject[]
  if (status === 404 || status === 429) return []
  throw new Error(`guards cannot be listed: ${status}`)
}

async function deleteGuard(api: Api, gate: Gate, repairs: Repairs): Promise<void> {
  const [first] = await gate.during(() => guards(api))
  const began = gate.openMs()
  if (first === undefined) {
    await within(gate, async () => (await guards(api)).length > 0, began, 'a guard', [], repairs)
    return
  }
  const { name, uid } = first.metadata
  const { status } = await gate.during(() => api.send('DELETE', `${GUARDS}/${String(name)}`))
  if (status !== 200) return
  const isBack = async () => (await guards(api)).some(({ metadata }) => metadata.name === name && metadata.uid !== uid)
  await within(gate, isBack, began, `SecurityPolicy ${String(name)}`, repairs.guards, repairs)
}

async function overwriteBundle(api: Api, gate: Gate, foreign: string, repairs: Repairs): Promise<void> {
  const began = gate.openMs()
  // Somebody else was faster: nothing is broken.
  if ((await gate.during(() => putBundle(api, foreign))).status !== 200) return
  const isRight = async () => {
    const all = array((await api.send('GET', VALIDATING)).body.webhooks).map(each => object(object(each).clientConfig))
    return all.length > 0 && all.every(({ caBundle }) => caBundle === all[0]?.caBundle && caBundle !== foreign)
  }
  await within(gate, isRight, began, 'caBundle', repairs.bundles, repairs)
}

async function putBundle(api: Api, caBundle: string): Promise<Reply> {
  const { body } = await api.send('GET', VALIDATING)
  const webhooks = array(body.webhooks).map(object)
  // One that lets go on without an answer, so that no request fails for it.
  const at = webhooks.findIndex(each => each.failurePolicy === 'Ignore')
  const changed = webhooks.map((each, i) =>
    i === at ? { ...each, clientConfig: { ...object(each.clientConfig), caBundle } } : each,
  )
  return api.send('PUT', VALIDATING, { ...body, webhooks: changed })
}

async function within(
  gate: Gate,
  isRight: () => Promise<boolean>,
  began: number,
  what: string,
  took: number[],
  { missed }: Repairs,
): Promise<void> {
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    if (await gate.during(() => isRight().catch(() => false))) return void took.push(gate.openMs() - began)
    await sleep(LOOK_EVERY_MS)
  }
  missed.push(`${what}: not after ${MOST_LOOKS} looks, ${Math.round((gate.openMs() - began) / 1000)} s`)
}
