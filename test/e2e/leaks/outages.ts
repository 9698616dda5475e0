// What fails, and what somebody deletes, while intruders ask: nothing of it opens a route.
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@jest/globals'
import { array } from '../../../src/core/json.ts'
import type { KubeObject } from '../../../src/core/types.ts'
import { pathOf, until } from '../../integration/api.ts'
import { applied, fromYaml, succeeds } from '../../integration/objects.ts'
import type { GatewayName } from '../stage/gateway.ts'
import { loginNamespace } from '../stage/team.ts'
import type { Watched } from './watched.ts'

const AWAY_MS = 2_000

export function testKills({ stage, settled }: Watched): void {
  test('so are all while the webhook is killed and comes back', async () => {
    await stage().cluster.restart('webhook', () => sleep(AWAY_MS))
    await settled('webhook killed')
  }, 120_000)

  test('so are all while each process of the gateway is killed and comes back', async () => {
    for (const part of Object.keys(stage().gateway.parts)) {
      await stage().gateway.restart(part, () => sleep(AWAY_MS))
      await settled(`${part} killed`)
    }
  }, 120_000)

  test('so are all while oauth2-proxy is killed, and its Service deleted and restored', async () => {
    const [team] = stage().teams
    if (team === undefined) throw new Error('the stage has no team')
    const { controlPlane } = stage().cluster
    await team.restart(() => sleep(AWAY_MS))
    const service = ['service', 'oauth2-proxy', '-n', loginNamespace(team.options)]
    const [stored] = fromYaml(await succeeds(controlPlane, ['get', ...service, '-o', 'yaml']))
    await succeeds(controlPlane, ['delete', ...service])
    await sleep(AWAY_MS)
    await applied(controlPlane, bare(stored as KubeObject))
    await settled('oauth2-proxy killed, Service deleted and restored')
  }, 120_000)
}

/** By whom the policies of the cluster let write what is Portcullis': an administrator of it, or a tool of theirs. */
export function testDeletions(watched: Watched): void {
  const { settled } = watched

  test('so are all while what guards them is deleted, one after the other, and put back each time', async () => {
    const ours = await companions(watched)
    const isOneOfMany = ({ kind }: KubeObject) => ['HTTPRoute', 'Ingress'].includes(kind)
    const chosen = [...ours.filter(each => !isOneOfMany(each)), ...ours.filter(isOneOfMany).slice(0, 2)]
    for (const each of chosen) {
      await remove(watched, each)
      // Another net has another name.
      await until('it is put back', async () => (await companions(watched)).length >= ours.length)
    }
    await settled(`${chosen.length} companions deleted: ${kinds(chosen)}`)
  }, 240_000)

  test('so are all while the controller is dead, and the ReferenceGrants and what asks for a login are deleted', async () => {
    const gone = await removedWhileControllerIsDead(watched, each => isLogin(each) || each.kind === 'ReferenceGrant')
    await settled(`${gone.length} deleted and restored: ${kinds(gone)}`)
  }, 120_000)

  // Traefik has nothing underneath.
  if (watched.kinds.every(kind => kind.gateway === 'traefik')) return
  test('so are all while it is dead, and what is under that is deleted, at the Gateway too', async () => {
    const gone = await removedWhileControllerIsDead(watched, isUnderneath)
    await settled(`${gone.length} deleted and restored: ${kinds(gone)}`)
  }, 120_000)
}

/** Where Portcullis has objects of its own beside routes. */
const COLLECTIONS: Readonly<Record<GatewayName, readonly string[]>> = {
  'envoy-gateway': [
    '/apis/gateway.envoyproxy.io/v1alpha1/securitypolicies',
    '/apis/gateway.envoyproxy.io/v1alpha1/clienttrafficpolicies',
    '/apis/gateway.networking.k8s.io/v1beta1/referencegrants',
    '/apis/gateway.networking.k8s.io/v1/httproutes',
  ],
  traefik: [
    '/apis/traefik.io/v1alpha1/middlewares',
    '/apis/gateway.networking.k8s.io/v1beta1/referencegrants',
    '/apis/gateway.networking.k8s.io/v1/httproutes',
    '/apis/networking.k8s.io/v1/ingresses',
  ],
}

async function companions({ stage }: Watched): Promise<KubeObject[]> {
  const { cluster, gateway } = stage()
  const found = COLLECTIONS[gateway.name].map(async path => {
    const { body } = await cluster.api.send('GET', `${path}?labelSelector=app.kubernetes.io/managed-by%3Dportcullis`)
    const [kind, apiVersion] = [String(body.kind).replace(/List$/, ''), String(body.apiVersion)]
    return (array(body.items) as KubeObject[]).map((each): KubeObject => ({ ...each, kind, apiVersion }))
  })
  return (await Promise.all(found)).flat()
}

function isLogin(companion: KubeObject): boolean {
  return ['SecurityPolicy', 'Middleware'].includes(companion.kind) && !isUnderneath(companion)
}

/** The net, and what belongs to a Gateway: not what asks anybody to log in. */
function isUnderneath({ kind, metadata }: KubeObject): boolean {
  const ofGateway = kind === 'ClientTrafficPolicy' || String(metadata.name).startsWith('portcullis-anchor-')
  return ofGateway || String(metadata.name).startsWith('portcullis-zz-net.')
}

/** Another one leads once the Lease of the dead one has run out: for some fifteen seconds nobody puts anything back. */
async function removedWhileControllerIsDead(
  watched: Watched,
  which: (companion: KubeObject) => boolean,
): Promise<KubeObject[]> {
  const before = await companions(watched)
  const gone = before.filter(which)
  await watched.stage().cluster.restart('controller', async () => {
    for (const each of gone) await remove(watched, each)
  })
  await until('all is put back', async () => (await companions(watched)).length >= before.length)
  return gone
}

async function remove({ stage }: Watched, companion: KubeObject): Promise<void> {
  const { status, message } = await stage().cluster.api.send('DELETE', pathOf(companion))
  // The controller may have put another in its place already.
  if (status !== 200 && status !== 404) throw new Error(`${pathOf(companion)} stays: ${message}`)
}

const kinds = (objects: readonly KubeObject[]) => [...new Set(objects.map(({ kind }) => kind))].join(', ')

/** As its owner would apply it again. */
function bare({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { namespace: metadata.namespace, name: metadata.name }, spec }
}
