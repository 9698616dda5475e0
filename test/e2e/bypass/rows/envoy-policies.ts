// Ways around a login by policies of Envoy Gateway: others beside ours, and ours edited or gone.
import { array, object } from '../../../../src/core/json.ts'
import { grantName } from '../../../../src/core/names.ts'
import type { KubeObject } from '../../../../src/core/types.ts'
import { GROUPS } from '../../stage/people.ts'
import { ENVOY_HTTP_ROUTE } from '../../stage/route-kinds.ts'
import { labelled } from '../ground.ts'
import { grant, ref } from '../made.ts'
import { changes, creates, removes, type Scene, type Way } from '../way.ts'

const kind = ENVOY_HTTP_ROUTE
const GATEWAY_API = 'gateway.networking.k8s.io'
const EXTENSIONS = 'gateway.envoyproxy.io/v1alpha1'
const target = (name: string, more: object = {}) => ({ group: GATEWAY_API, kind: 'HTTPRoute', name, ...more })

function policy(at: Scene, spec: object, namespace = at.namespace): KubeObject {
  return { ...ref(EXTENSIONS, 'SecurityPolicy', namespace, at.name), spec }
}

const FAILS_OPEN = {
  mergeType: 'StrategicMerge',
  extAuth: { failOpen: true, http: { backendRefs: [{ name: 'none', port: 1 }] } },
}

const selecting = (labels: object, more: object = {}) => ({
  targetSelectors: [{ group: GATEWAY_API, kind: 'HTTPRoute', matchLabels: labels, ...more }],
})

function named(route: KubeObject): KubeObject {
  const rules = array(object(route.spec).rules).map(rule => ({ ...object(rule), name: 'all' }))
  return { ...route, spec: { ...object(route.spec), rules } }
}

function marked(route: KubeObject, at: Scene): KubeObject {
  return { ...route, metadata: { ...route.metadata, labels: { marked: at.name } } }
}

/** Of two policies for one route the older takes effect, and one for a rule before both. */
const NEWER: readonly Way[] = [
  {
    of: ['G11'],
    name: 'its owner has an empty policy for it',
    kind,
    steps: at => [creates('owner', policy(at, { targetRefs: [target(at.name)] }))],
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G11'],
    name: 'its owner has a policy for CORS alone that selects it',
    kind,
    route: marked,
    steps: at => [creates('owner', policy(at, { ...selecting({ marked: at.name }), cors: { allowOrigins: ['*'] } }))],
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G12'],
    name: 'its owner has an empty policy for its rule',
    kind,
    route: named,
    steps: at => [creates('owner', policy(at, { targetRefs: [target(at.name, { sectionName: 'all' })] }))],
    without: 'open',
    with: 'open',
  },
  {
    of: ['G14'],
    name: 'its owner has a policy for it that is merged and fails open',
    kind,
    steps: at => [creates('owner', policy(at, { targetRefs: [target(at.name)], ...FAILS_OPEN }))],
    without: 'closed',
    with: 'closed',
  },
  {
    of: ['G12', 'G14'],
    name: 'its owner has a policy for its rule that is merged and fails open',
    kind,
    route: named,
    steps: at => [
      creates('owner', policy(at, { targetRefs: [target(at.name, { sectionName: 'all' })], ...FAILS_OPEN })),
    ],
    without: 'open',
    with: 'open',
  },
  {
    of: ['G15'],
    name: 'its owner lets a policy of another namespace select it',
    kind,
    route: marked,
    steps: at => [
      creates('owner', grant(at.namespace, at.name, { kind: 'SecurityPolicy', namespace: 'elsewhere' }, TO_ROUTES)),
      creates('stranger', policy(at, selecting({ marked: at.name }, { namespaces: { from: 'All' } }), 'elsewhere')),
    ],
    without: 'closed',
    with: 'closed',
  },
]

const TO_ROUTES = { group: GATEWAY_API, kind: 'HTTPRoute' }

/** What its owner wrote before a team admitted the namespace is older than what we have there. */
const OLDER: readonly Way[] = [
  {
    of: ['G13', 'E1'],
    name: 'its owner has planted an older policy for a route of its name, and makes the route',
    kind,
    namespace: 'planted',
    route: () => undefined,
    early: at => [policy(at, { targetRefs: [target(at.name)] })],
    steps: at => [creates('owner', labelled(at.route))],
    without: 'open',
    with: 'refused',
    by: 'policy-excludes',
  },
  {
    of: ['G13', 'E1'],
    name: 'its owner turns an older policy to it',
    kind,
    namespace: 'planted',
    early: at => [policy(at, { targetRefs: [target('nobody')] })],
    steps: at => [changes('owner', policy(at, {}), { spec: { targetRefs: [target(at.name)] } })],
    without: 'open',
    with: 'open',
  },
  {
    of: ['G13', 'E1'],
    name: 'its owner gives it a label that an older policy selects',
    kind,
    namespace: 'planted',
    early: at => [policy(at, selecting({ marked: at.name }))],
    steps: at => [changes('owner', at.route, { metadata: { labels: { marked: at.name } } })],
    without: 'open',
    with: 'refused',
    by: 'policy-excludes',
  },
  {
    of: ['G13', 'E1'],
    name: 'its owner has planted an older policy for a rule of it, and names the rule',
    kind,
    namespace: 'planted',
    early: at => [policy(at, { targetRefs: [target(at.name, { sectionName: 'all' })] })],
    route: () => undefined,
    steps: at => [creates('owner', labelled(named(at.route)))],
    without: 'open',
    with: 'refused',
    by: 'policy-excludes',
  },
  {
    of: ['G15', 'E1'],
    name: 'an older policy of another namespace selects it, and its owner has let it',
    kind,
    namespace: 'planted',
    route: () => undefined,
    early: at => [
      grant(at.namespace, at.name, { kind: 'SecurityPolicy', namespace: 'elsewhere' }, TO_ROUTES),
      policy(at, selecting({ marked: at.name }, { namespaces: { from: 'All' } }), 'elsewhere'),
    ],
    steps: at => [creates('owner', labelled(marked(at.route, at)))],
    without: 'open',
    with: 'refused',
    by: 'policy-excludes',
  },
]

async function oursIn({ stage, namespace }: Scene): Promise<KubeObject[]> {
  const path = `/apis/${EXTENSIONS}/namespaces/${namespace}/securitypolicies?labelSelector=app.kubernetes.io/managed-by=portcullis`
  const { body } = await stage.cluster.api.send('GET', path)
  return array(body.items).map(each =>
    ref(EXTENSIONS, 'SecurityPolicy', namespace, String(object(object(each).metadata).name)),
  )
}

const OURS: readonly Way[] = [
  {
    of: ['G16'],
    name: 'its owner edits our policies so that they let everybody in',
    kind,
    namespace: 'edited',
    steps: async at => {
      const to = { spec: { extAuth: null, authorization: { defaultAction: 'Allow', rules: null } } }
      return (await oursIn(at)).map(each => changes('owner', each, to))
    },
    without: 'open',
    with: 'refused',
    by: 'companions.auth.example',
  },
  {
    of: ['G16'],
    name: 'its owner deletes our policies',
    kind,
    namespace: 'deleted',
    steps: async at => (await oursIn(at)).map(each => removes('owner', each)),
    without: 'open',
    with: 'refused',
    by: 'companions.auth.example',
  },
  {
    of: ['E7', 'G16'],
    name: 'an administrator deletes our policies',
    kind,
    namespace: 'emptied',
    steps: async at => (await oursIn(at)).map(each => removes('administrator', each)),
    without: 'open',
    with: 'repaired',
  },
  {
    of: ['G17'],
    name: 'its owner makes our policies belong to an object of theirs, and deletes that',
    kind,
    namespace: 'owned',
    steps: async at => {
      const owner: KubeObject = ref('v1', 'ConfigMap', at.namespace, at.name)
      const { body } = await at.stage.cluster.api.create(owner)
      const { uid } = object(body.metadata)
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: at.name, uid }]
      const owned = (await oursIn(at)).map(each => changes('owner', each, { metadata: { ownerReferences } }))
      return [...owned, removes('owner', owner)]
    },
    without: 'open',
    with: 'refused',
    by: 'companions.auth.example',
  },
  {
    of: ['G18'],
    name: "who keeps the login's namespace deletes our ReferenceGrant",
    kind,
    namespace: 'ungranted',
    steps: at => [
      removes(
        'keeper',
        ref(`${GATEWAY_API}/v1beta1`, 'ReferenceGrant', 'login-team-a', grantName(at.namespace, 'team-a')),
      ),
    ],
    without: 'closed',
    with: 'refused',
    by: 'companions.auth.example',
  },
  {
    of: ['G30'],
    name: 'a member writes the groups of all members into the address of what is for administrators',
    kind,
    namespace: 'widened',
    route: plain => ({ ...plain, metadata: { ...plain.metadata, labels: { 'auth.example/access': 'admins' } } }),
    steps: async at => {
      if (at.portcullis) return []
      const gone = (await oursIn(at)).map(each => removes('administrator', each))
      return [...gone, creates('administrator', policy(at, byHand(at)))]
    },
    asks: async at => {
      const headers = { cookie: await at.session('anna') }
      const narrow = await at.ask(at.url('/'), { headers })
      const widened = await at.ask(at.url(`/?z=1&allowed_groups=${GROUPS['team-a']}`), { headers })
      return narrow.reached === undefined ? widened.reached?.application : undefined
    },
    without: 'open',
    with: 'closed',
  },
]

/** The path of the request is appended to that of the policy, so that its query becomes a part of the auth call's. */
function byHand(at: Scene): object {
  const http = {
    backendRefs: [{ name: 'oauth2-proxy', namespace: 'login-team-a', port: 80 }],
    path: `/?allowed_groups=${GROUPS.admins}&rd=${at.url('')}`,
    headersToBackend: ['x-auth-request-user'],
  }
  return { targetRefs: [target(at.name)], extAuth: { headersToExtAuth: ['cookie', 'accept'], http } }
}

const OF_THE_GATEWAY: readonly Way[] = [
  {
    of: ['E5'],
    name: "its owner labels an open route, and the Gateway's list of addresses has no effect on it any more",
    kind,
    alone: true,
    route: () => undefined,
    steps: at => {
      const rules = [{ name: 'inside', action: 'Allow', principal: { clientCIDRs: ['10.255.0.0/16'] } }]
      const spec = {
        targetRefs: [{ group: GATEWAY_API, kind: 'Gateway', name: 'envoy' }],
        authorization: { defaultAction: 'Deny', rules },
      }
      return [
        creates('keeper', policy(at, spec, 'gateways')),
        creates('owner', at.route),
        changes('owner', at.route, { metadata: { labels: { 'auth.example/protect': 'true' } } }),
      ]
    },
    asks: async at => {
      const { reached } = await at.ask(at.url(), { headers: { cookie: await at.session('anna') } })
      return reached?.application
    },
    without: 'open',
    with: 'refused',
    by: 'policy-excludes',
  },
]

export const ENVOY_POLICY_WAYS: readonly Way[] = [...NEWER, ...OLDER, ...OURS, ...OF_THE_GATEWAY]
