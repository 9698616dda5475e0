// What the controller watches: the facts, all that is stored of ours, the teams as they are stored, and Services.
import type { Problem } from '../../api/problems.ts'
import { OwnedObjects } from '../../controller/owned.ts'
import { portsOf } from '../../controller/told/status.ts'
import type { KubeObject } from '../../core/types.ts'
import type { Sink } from '../../facts/expiry.ts'
import type { Connection } from '../../kube/connection.ts'
import { FACT_PATHS, listPaths } from '../../kube/kinds.ts'
import { type WatchedAll, watchAll } from '../../kube/watch-all.ts'
import type { Log } from '../../log.ts'
import { withOurs } from '../missing.ts'

export type StoredTeam = { readonly object: KubeObject; readonly problems: readonly Problem[] }

export type Watching = WatchedAll & {
  readonly owned: OwnedObjects
  readonly teams: ReadonlyMap<string, StoredTeam>
  /** Ports by namespace and name; in words, why nobody knows them. */
  services(): ReadonlyMap<string, ReadonlySet<number>> | string
}

/** Asked before a change is taken; what comes back is told when it has been. */
export type Observe = (what: 'put' | 'remove', document: KubeObject) => () => void

const PATHS = { ...FACT_PATHS, ...listPaths(['ReferenceGrant', 'BackendTLSPolicy', 'Service']) }

/** Fills `sink`, and what the controller needs besides. */
export function watchCluster(connection: Connection, sink: Sink, observe: Observe, log: Log): Watching {
  const owned = new OwnedObjects()
  const teams = new Map<string, StoredTeam>()
  const services = new Map<string, ReadonlySet<number>>()
  const put = (document: KubeObject) => {
    const taken = observe('put', document)
    const problems = sink.put(document)
    const { namespace, name } = document.metadata
    if (document.kind === 'Service') services.set(`${namespace}/${name}`, portsOf(document))
    if (document.kind === 'AuthTeam') teams.set(String(name), { object: document, problems })
    owned.put(document)
    taken()
    return problems
  }
  const remove = (document: KubeObject) => {
    const taken = observe('remove', document)
    sink.remove(document)
    const { namespace, name } = document.metadata
    if (document.kind === 'Service') services.delete(`${namespace}/${name}`)
    if (document.kind === 'AuthTeam') teams.delete(String(name))
    owned.remove(document)
    taken()
  }
  // Nothing is protected by what is known of Services: without it all else is done.
  const watched = withOurs(watchAll(connection, { put, remove }, { log, paths: PATHS, optional: ['Service'] }))
  const ofServices = watched.kinds.get('Service')
  return {
    ...watched,
    owned,
    teams,
    services: () => (ofServices?.synced ? services : (ofServices?.trouble?.detail ?? 'there is no list yet')),
  }
}
