// Other mutating webhooks of a cluster, served by the test itself: what they do to an object is said case by case.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { createAuthority } from '../../src/certificates/authority.ts'
import { issueLeaf } from '../../src/certificates/leaf.ts'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { applied } from './objects.ts'

export type Edit = (object: KubeObject) => KubeObject

export type Neighbour = {
  readonly name: string
  /** What it does from now on; undefined: nothing. */
  edit: Edit | undefined
  /** How often it was asked. */
  calls: number
}

export type Neighbours = {
  of(name: string): Neighbour
  close(): void
}

export type Reinvocation = 'Never' | 'IfNeeded'

/** Mutating webhooks are called in the order of the names of their configurations. */
export async function startNeighbours(
  controlPlane: ControlPlane,
  wanted: readonly { readonly name: string; readonly reinvocation: Reinvocation }[],
): Promise<Neighbours> {
  const authority = await createAuthority(new Date())
  const leaf = await issueLeaf(authority, ['127.0.0.1'], new Date())
  const neighbours = new Map(wanted.map(({ name }): [string, Neighbour] => [name, { name, edit: undefined, calls: 0 }]))
  const server = createServer(leaf, async (request, response) => {
    const review = object(await json(request))
    const neighbour = neighbours.get(String(request.url?.split('?')[0]?.slice(1))) as Neighbour
    neighbour.calls++
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify(answer(object(review.request), neighbour)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const caBundle = Buffer.from(authority.cert).toString('base64')
  await applied(
    controlPlane,
    ...wanted.map(({ name, reinvocation }) =>
      configuration(name, { url: `https://127.0.0.1:${port}/${name}`, caBundle }, reinvocation),
    ),
  )
  return {
    of: name => neighbours.get(name) as Neighbour,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function answer(request: Readonly<Record<string, unknown>>, { edit }: Neighbour): object {
  const before = request.object as KubeObject
  const after = edit?.(before) ?? before
  const patch = (['metadata', 'spec'] as const)
    .filter(part => JSON.stringify(after[part]) !== JSON.stringify(before[part]))
    .map(part => ({ op: 'replace', path: `/${part}`, value: after[part] }))
  const changes = { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
  const response = { uid: request.uid, allowed: true, ...(patch.length === 0 ? {} : changes) }
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }
}

function configuration(name: string, clientConfig: object, reinvocationPolicy: Reinvocation): KubeObject {
  const rule = { apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], scope: 'Namespaced' }
  const webhook = {
    name: `${name}.neighbours.test`,
    clientConfig,
    reinvocationPolicy,
    rules: [
      { ...rule, apiGroups: ['networking.k8s.io'], resources: ['ingresses'] },
      { ...rule, apiGroups: ['gateway.networking.k8s.io'], resources: ['httproutes'] },
    ],
    failurePolicy: 'Fail',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  }
  const apiVersion = 'admissionregistration.k8s.io/v1'
  return { apiVersion, kind: 'MutatingWebhookConfiguration', metadata: { name }, webhooks: [webhook] }
}
