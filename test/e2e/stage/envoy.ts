// The Envoy that Envoy Gateway wants to have in a pod, as a process: with the pod's own arguments and files.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { array, object } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { programAt } from '../../parts/locate.ts'
import { freePorts } from '../../parts/ports.ts'
import { type RunningPart, startPart } from '../../parts/process.ts'

export type EnvoyOptions = {
  readonly dir: string
  readonly files: string
  /** Folder with ca.crt, tls.crt and tls.key of the Secret `envoy`. */
  readonly certs: string
  readonly deployment: KubeObject
  /** Files that the pod mounts at /sds. */
  readonly secrets: Readonly<Record<string, string>>
}

export async function startEnvoy({ dir, files, certs, deployment, secrets }: EnvoyOptions): Promise<RunningPart> {
  const sds = join(files, 'sds')
  mkdirSync(sds, { recursive: true })
  for (const [file, text] of Object.entries(secrets)) {
    writeFileSync(join(sds, file), text.replaceAll('/certs/', `${certs}/`))
  }
  const [admin] = (await freePorts(1)) as [number]
  return startPart({
    name: 'envoy',
    command: programAt('envoy'),
    args: [...localArguments(deployment, sds, admin), '--use-dynamic-base-id'],
    dir,
    ready: async () => (await fetch(`http://127.0.0.1:${admin}/ready`)).ok,
  })
}

/** Those of the pod, with what is elsewhere outside of a cluster. */
function localArguments(deployment: KubeObject, sds: string, admin: number): string[] {
  const pod = object(object(object(deployment.spec).template).spec)
  const envoy = array(pod.containers)
    .map(object)
    .find(({ name }) => name === 'envoy')
  return array(object(envoy).args)
    .map(String)
    .filter(each => each !== '--cpuset-threads')
    .map(each =>
      each
        // Envoy Gateway itself has this port here.
        .replaceAll('port_value: 19000', `port_value: ${admin}`)
        .replaceAll(/envoy-gateway\.envoy-gateway-system\.svc\.cluster\.local\.?/g, '127.0.0.1')
        .replaceAll('/sds/', `${sds}/`)
        .replaceAll(/\$\(\w+\)/g, 'stage'),
    )
}
