// The reference setups in a cluster as they are when Portcullis has done its work there, without it running.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { stringify } from 'yaml'
import { defaultConfig } from '../../src/api/config.ts'
import { COMPANION_KINDS } from '../../src/controller/undo.ts'
import { array, object } from '../../src/core/json.ts'
import { INJECTED } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { findCases, nameOf, readCase } from '../golden/case.ts'
import { run } from '../golden/run.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { applied, completed, fromYaml, stored, succeeds } from './objects.ts'
import { clusterObjects, type Setup, setupsIn } from './setups.ts'

export const protectedParts = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const

export type Protected = {
  readonly labelled: readonly KubeObject[]
  /** As the API server stores what the owners wrote, while nobody is asked. */
  readonly bare: readonly KubeObject[]
  readonly companions: readonly KubeObject[]
}

const OURS = join(import.meta.dirname, '../../manifests/crds')
const ALL = setupsIn('reference-setups')

/** `byHand`: those whose routes had a login that was made by hand. */
export function setups({ byHand }: { byHand: boolean }): Setup[] {
  const found = ALL.filter(({ title }) => title.endsWith('made by hand') === byHand)
  expect(found.length).toBeGreaterThanOrEqual(5)
  return found
}

export async function startCluster(): Promise<ControlPlane> {
  const controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
  await controlPlane.applyCrds(...gatewayDefinitions(), OURS)
  await applied(controlPlane, ...clusterObjects(ALL))
  return controlPlane
}

/** A configuration that serves all setups, in a file: what each says, beside what is known without. */
export function configFile({ dir }: ControlPlane): string {
  const [own] = ALL.flatMap(({ facts }) => facts.filter(each => each.kind === 'PortcullisConfig'))
  const said = array(own?.controllers).map(object)
  const others = defaultConfig().controllers.filter(({ controller }) =>
    said.every(each => each.controller !== controller),
  )
  const file = join(dir, 'config.yaml')
  writeFileSync(file, stringify({ ...own, controllers: [...said, ...others] }))
  return file
}

export async function protect(controlPlane: ControlPlane, chosen: readonly Setup[]): Promise<Protected> {
  const manifests = chosen.flatMap(each => each.manifests)
  const labelled = manifests.map(each => each.labelled)
  const bare = await completed(controlPlane, labelled)
  const companions = companionsOf(chosen)
  await applied(controlPlane, ...namespaces(companions), ...companions, ...manifests.map(each => each.stored))
  return { labelled, bare, companions }
}

function companionsOf(chosen: readonly Setup[]): KubeObject[] {
  const titles = new Set(chosen.map(each => each.title))
  const cases = findCases()
    .cases.filter(path => path.startsWith('reference-setups/'))
    .map(readCase)
  const made = cases.filter(({ title }) => titles.has(title)).flatMap(golden => run(golden).companions)
  const all = made.flatMap(each => each.companions.map(({ object: companion }) => companion))
  return [...new Map(all.map(each => [nameOf(each), each])).values()]
}

function namespaces(objects: readonly KubeObject[]): KubeObject[] {
  const names = new Set(objects.map(({ metadata }) => String(metadata.namespace)))
  return [...names].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
}

/** What of Portcullis is in the cluster: companions by their label, routes by their record. */
export async function leftOvers(controlPlane: ControlPlane): Promise<string[]> {
  const all = await everything(controlPlane)
  const isOurs = ({ metadata }: KubeObject) =>
    object(metadata.labels)['app.kubernetes.io/managed-by'] === 'portcullis' ||
    object(metadata.annotations)[INJECTED] !== undefined
  return all.filter(isOurs).map(nameOf)
}

export async function everything(controlPlane: ControlPlane): Promise<KubeObject[]> {
  const kinds = COMPANION_KINDS.map(kind => kind.toLowerCase()).join(',')
  const [list] = fromYaml(await succeeds(controlPlane, ['get', kinds, '--all-namespaces', '-o', 'yaml']))
  return (object(list).items ?? []) as KubeObject[]
}

export const current = (controlPlane: ControlPlane, { labelled }: Protected) => stored(controlPlane, labelled)
