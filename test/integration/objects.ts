// Objects on their way to kubectl and back.
import { parseAllDocuments, stringify } from 'yaml'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { ControlPlane } from '../parts/control-plane.ts'

/** What kubectl apply keeps for itself. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export function inYaml(documents: readonly KubeObject[]): string {
  return documents.map(each => stringify(each, { aliasDuplicateObjects: false })).join('---\n')
}

export function fromYaml(text: string): KubeObject[] {
  return parseAllDocuments(text).map(each => each.toJS())
}

/** Runs kubectl on these documents; fails with what it said unless it succeeds. Gives its output. */
export async function succeeds(
  { kubectl }: ControlPlane,
  args: readonly string[],
  documents: readonly KubeObject[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const input = documents.length === 0 ? [] : ['-f', '-']
  const { code, stdout, stderr } = await kubectl([...args, ...input], inYaml(documents), env)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}

export async function applied(controlPlane: ControlPlane, ...documents: KubeObject[]): Promise<void> {
  await succeeds(controlPlane, ['apply', '--server-side', '--force-conflicts'], documents)
}

/** The documents as the API server would store them, defaults included. */
export async function completed(
  controlPlane: ControlPlane,
  documents: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  if (documents.length === 0) return []
  return fromYaml(await succeeds(controlPlane, ['create', '--dry-run=server', '-o', 'yaml'], documents))
}

export async function stored(
  controlPlane: ControlPlane,
  documents: readonly KubeObject[],
): Promise<readonly KubeObject[]> {
  // One by one: of several, kubectl makes a list.
  const got = documents.map(each => succeeds(controlPlane, ['get', '-o', 'yaml', ...selector(each)]))
  return (await Promise.all(got)).flatMap(fromYaml)
}

export function selector({ apiVersion, kind, metadata }: KubeObject): string[] {
  const [group, version] = apiVersion.split('/')
  return [`${kind}.${version}.${group}/${String(metadata.name)}`, '-n', String(metadata.namespace)]
}

/** What owner and webhook decide about; the rest is the API server's. */
export function content({ metadata, spec }: KubeObject): object {
  const { [LAST_APPLIED]: _, ...annotations } = object(metadata.annotations)
  return { name: metadata.name, labels: object(metadata.labels), annotations, spec }
}

export function versions(documents: readonly KubeObject[]): unknown[] {
  return documents.map(each => each.metadata.resourceVersion)
}
