// Portcullis as it is installed, for suites that also run on the standalone webhook: facts are applied as objects, and
// are in use once they have come by the watches.
import { array, object } from '../../src/core/json.ts'
import { MANAGED_BY, MANAGER } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { listPath } from '../../src/kube/kinds.ts'
import { nameOf } from '../golden/case.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { type Api, connect, until } from './api.ts'
import { companionsOf } from './companions-of.ts'
import { type Installed, install, type Replica } from './installed.ts'
import { shippedConfig, untilAsked } from './installed-cluster.ts'
import { applied } from './objects.ts'
import { admissions, isProbe, type PrepareWebhook, probe } from './webhook.ts'

type Serving = { readonly config: string; readonly replica: Replica }

const MUTATING = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/portcullis'

/** One replica, started anew where the configuration is another one. */
export const prepareInstalled: PrepareWebhook = async controlPlane => {
  const installed = await install(controlPlane)
  const api = connect(controlPlane)
  const run = {
    serving: undefined as Serving | undefined,
    facts: [] as readonly KubeObject[],
    removed: {} as KubeObject,
    probes: 0,
  }
  const log = () => run.serving?.replica.part.log ?? ''
  const probed = () => probe(controlPlane, log(), `probe-${run.probes++}`)
  const stop = async () => {
    await run.serving?.replica.kill()
    run.serving = undefined
  }
  return {
    async serve(facts, routes = []) {
      const config = configOf(facts)
      if (run.serving?.config !== JSON.stringify(config)) {
        await stop()
        run.serving = { config: JSON.stringify(config), replica: await start(installed, config) }
        await untilAsked(api)
      }
      await exchange(controlPlane, api, run.facts, facts)
      run.facts = facts
      await untilProtected(controlPlane, api, [config, ...facts], routes)
    },
    async stop() {
      await stop()
      await installed.stop()
      api.close()
    },
    async asked() {
      await probed()
      return admissions(log()).filter(each => !isProbe(each))
    },
    async removeMutating() {
      run.removed = (await api.send('GET', MUTATING)).body as KubeObject
      await api.send('DELETE', MUTATING)
      await until('the mutating call is left out', async () => (await probed()) === 1)
    },
    async restoreMutating() {
      const { name, labels, annotations } = run.removed.metadata
      await api.create({ ...run.removed, metadata: { name, labels, annotations } })
    },
  }
}

async function start(installed: Installed, config: KubeObject): Promise<Replica> {
  const replica = await installed.start({ config })
  await replica.ready()
  return replica
}

/** The shipped one with the controllers of these facts, on whose Gateways nothing drains. */
function configOf(facts: readonly KubeObject[]): KubeObject {
  const wanted = facts.find(each => each.kind === 'PortcullisConfig')
  if (wanted === undefined) return shippedConfig({})
  const controllers = array(wanted.controllers).map(each => {
    const { handedOver, ...controller } = object(each)
    if (handedOver === undefined) return controller
    return { ...controller, handedOver: array(handedOver).map(gateway => ({ ...object(gateway), drainSeconds: 0 })) }
  })
  return shippedConfig({ controllers })
}

/** What is gone goes first: two teams would want the same hosts. Namespaces stay. */
async function exchange(
  controlPlane: ControlPlane,
  api: Api,
  before: readonly KubeObject[],
  after: readonly KubeObject[],
): Promise<void> {
  const stays = new Set(after.map(nameOf))
  const gone = before.filter(each => !stays.has(nameOf(each)) && isObject(each) && each.kind !== 'Namespace')
  for (const each of await companionsIn(api)) await api.remove(each)
  // Until its last route is known to be gone, a team is in use.
  for (const each of gone)
    await until(`${nameOf(each)} is gone`, async () => [200, 404].includes((await api.remove(each)).status))
  const objects = after.filter(isObject)
  const [namespaces, rest] = [true, false].map(is => objects.filter(each => (each.kind === 'Namespace') === is))
  for (const each of [namespaces ?? [], rest ?? []]) if (each.length > 0) await applied(controlPlane, ...each)
}

const COMPANIONS = ['SecurityPolicy', 'ClientTrafficPolicy', 'HTTPRoute', 'Ingress', 'ReferenceGrant', 'Middleware']

async function companionsIn(api: Api): Promise<readonly KubeObject[]> {
  const query = new URLSearchParams({ labelSelector: `${MANAGED_BY}=${MANAGER}` })
  const lists = COMPANIONS.map(async kind => {
    const { status, message, body } = await api.send('GET', `${listPath(kind)}?${query}`)
    if (status !== 200) throw new Error(`no list of ${kind}: ${message}`)
    return array(body.items).map(each => ({ ...object(each), apiVersion: body.apiVersion, kind }) as KubeObject)
  })
  return (await Promise.all(lists)).flat()
}

function isObject({ kind }: KubeObject): boolean {
  return kind !== 'PortcullisConfig'
}

/** With what guards these routes; until each of them would be admitted. */
async function untilProtected(
  controlPlane: ControlPlane,
  api: Api,
  facts: readonly KubeObject[],
  routes: readonly KubeObject[],
): Promise<void> {
  if (routes.length === 0) return
  const config = facts[0] as KubeObject
  const others = facts.slice(1).filter(isObject)
  const companions = await companionsOf([config, ...others, ...routes])
  if (companions.length > 0) await applied(controlPlane, ...companions)
  for (const each of routes) {
    await until(`${nameOf(each)} is admitted`, async () => {
      return (await api.create(each, undefined, '?dryRun=All')).status === 201
    })
  }
}
