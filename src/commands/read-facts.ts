// All facts of a cluster, listed once: a store of them, and the objects that a command wants whole.
import type { Problem } from '../api/problems.ts'
import { routeKind } from '../core/route.ts'
import type { KubeObject } from '../core/types.ts'
import { StoredCompanions } from '../facts/companions.ts'
import { expiring } from '../facts/expiry.ts'
import { FactStore } from '../facts/store.ts'
import { gateways } from '../gateways/index.ts'
import { FACT_PATHS } from '../kube/kinds.ts'
import { listAll } from '../kube/list.ts'
import type { Installed } from './installed.ts'

export type ReadFacts = {
  readonly store: FactStore
  readonly kept: readonly KubeObject[]
  /** Documents that are not valid, with what is wrong with them. */
  readonly invalid: ReadonlyMap<KubeObject, readonly Problem[]>
}

/** Routes last: what is kept of them may depend on all other facts. */
const ROUTES = ['Ingress', 'HTTPRoute']
const OURS = ['AuthTeam', 'AuthExemption']

/** Complete, or in a line each why not. `keep`: asked of every object. `namespace`: has to be there, if one is named. */
export async function readFacts(
  { connection, config }: Installed,
  keep: (object: KubeObject, store: FactStore) => boolean,
  namespace?: string,
): Promise<ReadFacts | { readonly problems: readonly string[] }> {
  const store = new FactStore(config, new StoredCompanions(gateways, connection.timeOfDay))
  const sink = expiring(store, connection.timeOfDay)
  const kept: KubeObject[] = []
  const invalid = new Map<KubeObject, readonly Problem[]>()
  const problems: string[] = []
  const receive = (object: KubeObject) => {
    const wrong = sink.put(object)
    if (wrong.length > 0) invalid.set(object, wrong)
    if (keep(object, store)) kept.push(object)
  }
  const list = async (kind: string) => {
    const listed = await listAll(connection, FACT_PATHS[kind] ?? '', receive)
    if (listed.outcome === 'failed') problems.push(`cannot list ${kind}: ${listed.message}`)
    if (listed.outcome === 'absent' && OURS.includes(kind)) problems.push(`${kind} is not installed in this cluster`)
  }
  const kinds = Object.keys(FACT_PATHS)
  await Promise.all(kinds.filter(kind => !ROUTES.includes(kind)).map(list))
  for (const kind of ROUTES) await list(kind)
  const isMissing = namespace !== undefined && problems.length === 0 && store.namespace(namespace) === undefined
  if (isMissing) problems.push(`there is no namespace ${namespace}; correct -n`)
  return problems.length > 0 ? { problems } : { store, kept, invalid }
}

export function isRoute(object: KubeObject): boolean {
  return routeKind(object) !== undefined
}
