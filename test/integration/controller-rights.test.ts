// Who the controller is may do what its work takes, and nothing else: each right is used by a run that makes, edits and
// removes every kind of companion. Without one of them it says so, and goes on with the rest.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { one } from '../manifests/documents.ts'
import { describeWithParts } from '../parts/require.ts'
import { until } from './api.ts'
import type { Asked } from './audit.ts'
import { CONFIG, httpRoute, ingress, namespace, securityPolicy, team } from './cluster-objects.ts'
import {
  CONTROLLER,
  type ControllerCluster,
  controllerParts,
  hasRecord,
  startControllerCluster,
} from './controller-cluster.ts'
import { lookedAtEverything, reconfigure, untilLeads } from './controller-pod.ts'
import { applied, succeeds } from './objects.ts'
import type { Pod } from './pods.ts'
import { print } from './print.ts'
import { EVERYBODY, rightsOf } from './rights.ts'
import { behindTraefik, TRAEFIK } from './traefik-objects.ts'

const CONTROLLER_NAME = 'portcullis-controller'
const MADE = [
  'ingresses.networking.k8s.io',
  'httproutes.gateway.networking.k8s.io',
  'referencegrants.gateway.networking.k8s.io',
  'backendtlspolicies.gateway.networking.k8s.io',
  'securitypolicies.gateway.envoyproxy.io',
  'clienttrafficpolicies.gateway.envoyproxy.io',
  'middlewares.traefik.io',
]
const READ = [
  'authteams.auth.example',
  'authexemptions.auth.example',
  'namespaces',
  'services',
  'ingressclasses.networking.k8s.io',
  'gatewayclasses.gateway.networking.k8s.io',
  'gateways.gateway.networking.k8s.io',
]

/** Lines of `kubectl auth can-i --list`: resources, URLs, names, verbs. */
const EVERYWHERE = [
  ...EVERYBODY,
  ...READ.map(each => `${each} [] [] [list watch]`),
  ...MADE.map(each => `${each} [] [] [list watch get create patch delete]`),
  'authteams.auth.example/status [] [] [patch]',
  'events.events.k8s.io [] [] [create]',
  'validatingwebhookconfigurations.admissionregistration.k8s.io [] [portcullis] [get]',
]
const OF_THE_LEASE = [
  'leases.coordination.k8s.io [] [] [create]',
  'leases.coordination.k8s.io [] [portcullis-controller] [list watch get patch]',
]

const config = {
  ...CONFIG,
  controllers: [
    ...CONFIG.controllers,
    { controller: 'traefik.io/ingress-controller', gateway: 'traefik' },
    { controller: 'traefik.io/gateway-controller', gateway: 'traefik' },
  ],
}

/** Its oauth2-proxy is in a namespace of its own, and serves HTTPS for what Envoy asks. */
function teamOver(scheme: 'https' | 'http', levels: readonly object[], ...admitted: string[]): KubeObject {
  const { spec, ...rest } = team('team-a', 'shops')
  const { proxy, ...more } = object(spec)
  const service = { namespace: 'logins', name: 'oauth2-proxy' }
  const namespaces = { names: admitted, default: true }
  const secure = scheme === 'https' ? { caSecret: 'ca' } : {}
  return {
    ...rest,
    spec: { ...more, namespaces, access: levels, proxy: { ...object(proxy), service, scheme, ...secure } },
  }
}

describeWithParts('the controller’s own rights', controllerParts, () => {
  let cluster: ControllerCluster
  let controller: Pod

  beforeAll(async () => {
    cluster = await startControllerCluster()
    const { controlPlane } = cluster
    await cluster.withoutAdmission()
    await applied(controlPlane, namespace('shops'), namespace('logins'), ...TRAEFIK)
    controller = await cluster.installed.startController({ config })
    await controller.ready()
    await untilLeads(controller)
  }, 240_000)

  afterAll(() => cluster?.stop(), 60_000)

  test.each([
    'portcullis',
    'kube-system',
    'shops',
  ])('are these and no more, in namespace %s as everywhere', async of => {
    const { objects } = await rightsOf(cluster.controlPlane, CONTROLLER, of)
    expect(objects).toEqual([...EVERYWHERE, ...(of === 'portcullis' ? OF_THE_LEASE : [])].sort())
  }, 60_000)

  const count = async (kind: string, more: readonly string[] = []) =>
    (await cluster.all(kind, '-A', '-l', 'app.kubernetes.io/managed-by=portcullis', ...more)).length

  test('are each used by a run that makes, edits and removes every kind of companion', async () => {
    const { controlPlane } = cluster
    const routes = [ingress('old', 'old.team-a.example.com'), httpRoute('cart', 'shops', 'cart.team-a.example.com')]
    await applied(controlPlane, teamOver('https', [{ name: 'admins', allowedGroups: ['admins'] }], 'shops'), ...routes)
    const kinds = MADE.map(each => each.split('.')[0] as string)
    const counts = async (): Promise<Record<string, number>> =>
      Object.fromEntries(await Promise.all(kinds.map(async each => [each, await count(each)])))
    const isMade = async () => Object.values(await counts()).every(each => each > 0)
    await until('one of each kind', isMade, 90_000).catch(async error => {
      throw new Error(`${error.message}: ${JSON.stringify(await counts())}\n${controller.log().slice(-4000)}`)
    })
    await until('the Ingress is protected', async () => hasRecord(await cluster.get(routes[0]!)))
    print(`companions made: ${JSON.stringify(await counts())}`)
    // Each is edited by somebody.
    for (const kind of kinds) {
      for (const each of await cluster.all(kind, '-A', '-l', 'app.kubernetes.io/managed-by=portcullis'))
        await cluster.api.patch(each, { metadata: { annotations: { 'auth.example/scope': null } } })
    }
    // What is unlabelled, deleted, not admitted any more, not over HTTPS any more, takes its companions along.
    await succeeds(controlPlane, ['label', 'ingress/old', '-n', 'shops', 'auth.example/protect-'])
    await cluster.api.remove(routes[1]!)
    const controllers = config.controllers.map(each => ({ ...each, handedOver: undefined }))
    reconfigure(controlPlane, controller, { ...config, controllers })
    await applied(controlPlane, teamOver('http', [], 'logins'))
    // Another configuration is taken up a minute after the one before it, at the earliest.
    const deadline = Date.now() + 180_000
    while (missing(cluster.audit.asked()).length > 0 && Date.now() < deadline)
      await lookedAtEverything(cluster, controller)
    const asked = cluster.audit.asked()
    print(`${asked.length} requests; unused rights: ${JSON.stringify(missing(asked))}`)
    expect(missing(asked)).toEqual([])
    expect(asked.filter(({ code }) => code === 403)).toEqual([])
  }, 300_000)

  /** Runs with the ClusterRole less these verbs of these resources. */
  const without = async (lacking: Readonly<Record<string, readonly string[]>>, run: () => Promise<void>) => {
    const role = one('ClusterRole', CONTROLLER_NAME)
    const rules = array(role.rules)
      .map(object)
      .flatMap(rule =>
        array(rule.resources)
          .map(String)
          .map(resource => {
            const verbs = array(rule.verbs)
              .map(String)
              .filter(verb => !lacking[resource]?.includes(verb))
            return { ...rule, resources: [resource], verbs }
          }),
      )
      .filter(rule => rule.verbs.length > 0)
    await succeeds(cluster.controlPlane, ['replace'], [{ ...role, rules }])
    const [first] = Object.entries(lacking)
    const [resource = '', subresource] = (first?.[0] ?? '').split('/')
    const under = subresource === undefined ? [] : [`--subresource=${subresource}`]
    const question = ['auth', 'can-i', first?.[1][0] ?? '', resource, ...under, '--as', CONTROLLER.name, '-A']
    await until('the right is gone', async () => (await cluster.controlPlane.kubectl(question)).code !== 0)
    try {
      await run()
    } finally {
      await succeeds(cluster.controlPlane, ['replace'], [role])
    }
  }
  const says = (text: string) => until(`the log says ${text}`, () => controller.log().includes(text))

  test('that lack one for a companion leave it out, say so in log and status, and make the rest', async () => {
    await applied(cluster.controlPlane, namespace('without'))
    await without({ securitypolicies: ['create', 'patch'] }, async () => {
      await applied(cluster.controlPlane, teamOver('http', [], 'logins', 'without'))
      await says('SecurityPolicy')
      await until('Middlewares', async () => (await cluster.all('middlewares', '-n', 'without')).length > 0)
      await until('grants', async () => (await cluster.all('referencegrants', '-n', 'logins')).length > 0)
      // What it relies on is there; the policies are for those behind Envoy.
      const desk = behindTraefik(httpRoute('desk', 'without', 'desk.team-a.example.com'))
      await applied(cluster.controlPlane, desk)
      await until('the route behind Traefik is protected', async () => hasRecord(await cluster.get(desk)))
      await until('the status says so', async () => JSON.stringify(await cluster.all('authteams')).includes('cannot'))
      const [{ status }] = (await cluster.all('authteams')) as [KubeObject]
      print(`without securitypolicies: ${JSON.stringify(object(status).conditions)}`)
    })
    await until('guards', async () => (await cluster.all('securitypolicies', '-n', 'without')).length === 2, 120_000)
  }, 240_000)

  test('that lack Events, the status of teams or an Ingress are said to, and what guards is repaired', async () => {
    const policy = securityPolicy('portcullis-team.team-a', 'without')
    const late = (name: string): KubeObject => {
      const { metadata, ...rest } = ingress(name, `${name}.team-a.example.com`)
      return { ...rest, metadata: { ...metadata, namespace: 'without' } }
    }
    await without({ events: ['create'], 'authteams/status': ['patch'] }, async () => {
      await cluster.api.remove(policy)
      await applied(cluster.controlPlane, late('late'))
      await until('repaired', async () => (await cluster.get(policy)) !== undefined)
      await until('protected', async () => hasRecord(await cluster.get(late('late'))))
      await says('an Event could not be written')
      await says('the status of a team could not be written')
    })
    await without({ ingresses: ['get'] }, async () => {
      await applied(cluster.controlPlane, late('later'))
      await says('cannot get resource')
      await cluster.api.remove(policy)
      await until('repaired', async () => (await cluster.get(policy)) !== undefined)
    })
    await until('protected', async () => hasRecord(await cluster.get(late('later'))), 120_000)
  }, 300_000)

  test('that lack Services hold up nothing: a controller that starts without is ready, repairs, and says so', async () => {
    const policy = securityPolicy('portcullis-team.team-a', 'without')
    const isSaid = async (text: string) => JSON.stringify(await cluster.all('authteams')).includes(text)
    await without({ services: ['list', 'watch'] }, async () => {
      await controller.terminate()
      controller = await cluster.installed.startController({ config })
      await controller.ready()
      await untilLeads(controller)
      await cluster.api.remove(policy)
      await until('repaired', async () => (await cluster.get(policy)) !== undefined)
      await until('the status says so', () => isSaid('was not looked for: 403 services is forbidden'))
      print(
        controller
          .log()
          .split('\n')
          .find(line => line.includes('/api/v1/services')) ?? 'nothing is logged of Services',
      )
    })
    await until('it has looked', () => isSaid('there is no Service logins/oauth2-proxy'), 120_000)
  }, 300_000)
})

/** Rights of the manifests, as `verb resource.group`, that no request made use of. */
function missing(asked: readonly Asked[]): string[] {
  // An apply that makes an object takes both rights, and is a patch by its name.
  const used = new Set(
    asked.flatMap(({ verb, resource, code }) => [
      `${verb} ${resource}`,
      ...(verb === 'patch' && code === 201 ? [`create ${resource}`] : []),
    ]),
  )
  return [one('ClusterRole', CONTROLLER_NAME), one('Role', CONTROLLER_NAME)]
    .flatMap(({ rules }) => array(rules).map(object))
    .flatMap(({ apiGroups, resources, verbs }) =>
      array(resources).flatMap(each =>
        array(verbs).map(verb => `${String(verb)} ${String(each)}.${String(array(apiGroups)[0])}`),
      ),
    )
    .filter(each => !used.has(each))
}
