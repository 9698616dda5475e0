// What the rows stand on: namespaces that a team admits and one that none does, applications, people and what they may.
import { setTimeout as sleep } from 'node:timers/promises'
import { PROTECT, REQUIRE } from '../../../src/core/keys.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { type Api, person, type Reply, type User } from '../../integration/api.ts'
import { applied } from '../../integration/objects.ts'
import { namespace } from '../stage/objects.ts'
import type { Stage } from '../stage/stage.ts'
import type { Who } from './way.ts'

const TEAM = 'team-a'
export const APPLICATION = 'prometheus'
const INTRUDER = 'intruder'
/** No team admits it. */
export const ELSEWHERE = 'elsewhere'
/** Its routes have to have a login. */
export const STRICT = 'strict'

export const asUser = (who: Who): User | undefined => (who === 'administrator' ? undefined : person(who))

export async function prepareNamespaces(stage: Stage, own: readonly string[]): Promise<void> {
  const { controlPlane } = stage.cluster
  const strict = { ...namespace(STRICT), metadata: { name: STRICT, labels: { [REQUIRE]: 'enforce' } } }
  await applied(controlPlane, ...own.map(each => (each === STRICT ? strict : namespace(each))), namespace(ELSEWHERE))
  for (const each of own) await stage.startApplication(each, APPLICATION)
  if (own.includes(STRICT)) await applied(controlPlane, strict)
  await stage.startApplication(ELSEWHERE, INTRUDER)
  const kept = ['portcullis', 'gateways', `login-${TEAM}`]
  const bindings = [
    ...own.map(each => mayDoEverything('owner', each)),
    mayDoEverything('stranger', ELSEWHERE),
    ...kept.map(each => mayDoEverything('keeper', each)),
  ]
  await applied(controlPlane, ...bindings)
}

export function mayDoEverything(who: Who, of: string): KubeObject {
  const group = 'rbac.authorization.k8s.io'
  return {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata: { namespace: of, name: who },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: group, kind: 'User', name: who }],
  } as KubeObject
}

export async function admit({ cluster: { controlPlane }, teams }: Stage, own: readonly string[]): Promise<void> {
  const team = teams.find(each => each.options.name === TEAM)
  const names = [...new Set([team?.options.namespace, ...own])]
  const patch = JSON.stringify({ spec: { namespaces: { names } } })
  const { code, stderr } = await controlPlane.kubectl(['patch', 'authteam', TEAM, '--type=merge', '-p', patch])
  if (code !== 0) throw new Error(stderr)
}

/** As clients do: what is not yet admitted is tried again. */
export async function patiently(send: () => Promise<Reply>): Promise<Reply> {
  for (let tries = 0; ; tries++) {
    const reply = await send()
    if (reply.status !== 429 || tries === MOST_TRIES) return reply
    await sleep(1_000)
  }
}

const MOST_TRIES = 40

export function labelled(route: KubeObject): KubeObject {
  const labels = { ...(route.metadata.labels as object), [PROTECT]: 'true' }
  return { ...route, metadata: { ...route.metadata, labels } }
}

export async function made(api: Api, object: KubeObject): Promise<void> {
  const { status, message } = await patiently(() => api.create(object))
  if (status >= 300) throw new Error(`${object.kind} ${String(object.metadata.name)}: ${message}`)
}
