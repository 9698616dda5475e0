// A cluster with Portcullis installed for tests of faults: one team, an ingress-nginx, routes with and without the label.
import type { KubeObject } from '../../src/core/types.ts'
import { type Reply, until } from './api.ts'
import { ingress, NGINX, namespace, team } from './cluster-objects.ts'
import { type InstalledCluster, startInstalled } from './installed-cluster.ts'
import { applied } from './objects.ts'

export type Cluster = InstalledCluster & {
  /** As a client that does not try again, and keeps nothing. */
  tried(route: KubeObject): Promise<Reply>
}

export const TEAM = team('team-a', 'shops')

export function labelled(name: string): KubeObject {
  return ingress(name, `${name}.team-a.example.com`)
}

export function unlabelled(name: string): KubeObject {
  const { metadata, ...rest } = ingress(name, `${name}.example.org`)
  return { ...rest, metadata: { ...metadata, labels: {} } }
}

/** Every replica serves a labelled route. */
export async function startCluster(replicas: number): Promise<Cluster> {
  const cluster = await startInstalled({ replicas: Array.from({ length: replicas }, () => ({})) })
  const { controlPlane, installed, api } = cluster
  const tried = (route: KubeObject) => api.create(route, undefined, '?dryRun=All')
  await applied(controlPlane, NGINX, namespace('shops'), TEAM)
  for (const each of installed.replicas)
    await until('the team is known', async () => (await each.metric('portcullis_facts{kind="AuthTeam"}')) === 1)
  await until('the label is served', async () => (await tried(labelled('probe'))).status === 201)
  return { ...cluster, tried }
}
