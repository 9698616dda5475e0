// A real API server that is filled fast, and what it counted of the requests that the webhook makes.
import type { KubeObject } from '../../src/core/types.ts'
import { type Connection, connect } from '../../src/kube/connection.ts'
import { FACT_PATHS } from '../../src/kube/kinds.ts'
import { plural } from '../manifests/plural.ts'
import { type ControlPlane, startControlPlane } from '../parts/control-plane.ts'
import { crdFiles } from '../parts/crds.ts'

const AT_ONCE = 24
const TIMEOUT_MS = 60_000

export type Cluster = {
  readonly controlPlane: ControlPlane
  /** Of one who may do everything. */
  readonly connection: Connection
  /** Of an object as it is stored, without what the API server notes of who wrote which field. */
  readonly bytes: number
  /** Lists and watches of what the webhook reads, as the API server counts them: a watch when it ends. */
  requests(): Promise<number>
  stop(): Promise<void>
}

/** `groups`: each has what the one before it needs. */
export async function startCluster(
  dir: string,
  groups: readonly (readonly KubeObject[])[],
  extraArgs: readonly string[] = [],
): Promise<Cluster> {
  const controlPlane = await startControlPlane({ dir, extraArgs })
  try {
    const crds = ['authteams', 'authexemptions'].map(name => `${import.meta.dirname}/../../manifests/crds/${name}.yaml`)
    await controlPlane.applyCrds(...crds, ...crdFiles('envoy-gateway'))
    const connection = await connect(controlPlane.kubeconfig)
    for (const group of groups) await createAll(connection, group)
    const bytes = average(groups.at(-1)!.map(each => JSON.stringify(each).length))
    return {
      controlPlane,
      connection,
      bytes,
      requests: () => requests(connection),
      async stop() {
        connection.close()
        await controlPlane.stop()
      },
    }
  } catch (error) {
    await controlPlane.stop()
    throw error
  }
}

async function createAll(connection: Connection, documents: readonly KubeObject[]): Promise<void> {
  const left = [...documents].reverse()
  const work = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await create(connection, next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

async function create(connection: Connection, document: KubeObject): Promise<void> {
  const { apiVersion, kind, metadata } = document
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${String(metadata.namespace)}`
  const path = `${root}${scope}/${plural(kind)}?fieldManager=helm`
  const { status, body } = await connection.request({
    method: 'POST',
    path,
    body: JSON.stringify(document),
    timeoutMs: TIMEOUT_MS,
  })
  if (status !== 201) throw new Error(`${kind} ${String(metadata.name)}: ${status} ${body.slice(0, 500)}`)
}

/** Namespaces are read by the API server itself too. */
const OURS = new Set(
  Object.values(FACT_PATHS)
    .map(path => path.split('/').at(-1)!)
    .filter(resource => resource !== 'namespaces'),
)

async function requests(connection: Connection): Promise<number> {
  const { status, body } = await connection.request({ path: '/metrics', timeoutMs: TIMEOUT_MS })
  if (status !== 200) throw new Error(`/metrics: ${status}`)
  return body.split('\n').reduce((sum, line) => {
    if (!line.startsWith('apiserver_request_total{') || !/verb="(LIST|WATCH)"/.test(line)) return sum
    return OURS.has(/resource="([^"]*)"/.exec(line)?.[1] ?? '') ? sum + Number(line.split(' ').at(-1)) : sum
  }, 0)
}

function average(values: readonly number[]): number {
  return Math.round(values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length))
}
