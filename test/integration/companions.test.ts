// Everything that Portcullis would make is accepted by the gateways' own definitions, and so is what render prints.
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { companions, scopeKey } from '../../src/core/companions.ts'
import { routeKind } from '../../src/core/route.ts'
import { selects } from '../../src/core/selector.ts'
import type { KubeObject, Scope } from '../../src/core/types.ts'
import { gateways } from '../../src/gateways/index.ts'
import { findCases, type GoldenCase, readCase } from '../golden/case.ts'
import { run } from '../golden/run.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { expectSame } from './expect-same.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { labelledRoutes, labels, selectorsOf, written } from './label-selectors.ts'
import { applied, completed, inYaml, stored, succeeds } from './objects.ts'
import { clusterObjects, setupsIn } from './setups.ts'

const ROOT = join(import.meta.dirname, '../..')
const setups = setupsIn('reference-setups')

/** Whether or not a route of the case relies on it. */
function everyScope({ facts, routes }: ReturnType<typeof run>, { documents }: GoldenCase): Scope[] {
  const teams = [...facts.teams()].map(each => each.name)
  const namespaces = [...facts.namespaces()].map(each => each.name)
  const refs = [...routes.map(each => each.stored), ...documents].flatMap(({ metadata, kind, ...rest }) => {
    const of = routeKind({ ...rest, kind, metadata })
    return of === undefined ? [] : [{ kind: of, namespace: String(metadata.namespace), name: String(metadata.name) }]
  })
  return [
    ...teams.map((team): Scope => ({ of: 'team', team })),
    ...teams.flatMap(team => namespaces.map((namespace): Scope => ({ of: 'namespace', team, namespace }))),
    ...[...facts.gateways()].map(({ namespace, name }): Scope => ({ of: 'gateway', namespace, name })),
    ...refs.map((route): Scope => ({ of: 'route', route })),
  ]
}

function companionsOfGoldens(): KubeObject[] {
  const made = new Map<string, KubeObject>()
  // The object of a request may be one that is refused, which is no fact.
  for (const golden of findCases()
    .cases.map(readCase)
    .filter(each => each.requests === undefined)) {
    const result = run(golden)
    const scopes = new Map(everyScope(result, golden).map(scope => [scopeKey(scope), scope]))
    for (const scope of scopes.values()) {
      for (const { object } of companions(scope, result.facts, gateways)) made.set(JSON.stringify(object), object)
    }
  }
  return [...made.values()]
}

const parts = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const

describeWithParts('the definitions of Envoy Gateway and Traefik', parts, () => {
  let controlPlane: ControlPlane
  const made = companionsOfGoldens()
  const strictly = ['apply', '--server-side', '--force-conflicts', '--validate=strict', '--dry-run=server']

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    const ours = join(ROOT, 'manifests/crds')
    await controlPlane.applyCrds(...gatewayDefinitions(), ours)
    const names = [...made.map(each => each.metadata.namespace), ...setups.flatMap(namespacesOf)]
    const namespaces = [...new Set(names)].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
    await applied(controlPlane, ...namespaces)
  }, 120_000)

  afterAll(() => controlPlane?.stop())

  test('the goldens hold companions of every kind that a gateway declares', () => {
    expect([...new Set(made.map(each => each.kind))].sort()).toEqual([
      'BackendTLSPolicy',
      'ClientTrafficPolicy',
      'HTTPRoute',
      'Ingress',
      'Middleware',
      'ReferenceGrant',
      'SecurityPolicy',
    ])
  })

  test('accept every companion of every golden', async () => {
    const { code, stdout, stderr } = await controlPlane.kubectl([...strictly, '-f', '-'], inYaml(made))
    // A passthrough has the class of its route, by the old annotation where the route has it so.
    const warnings = stderr.split('\n').filter(line => !line.includes('"kubernetes.io/ingress.class" is deprecated'))
    expect({ code, warnings }).toEqual({ code: 0, warnings: [''] })
    expect(stdout.trim().split('\n')).toHaveLength(made.length)
  }, 120_000)

  test.each([
    ['a field that does not exist', { authorisation: {} }, 'authorisation'],
    ['what a rule across fields forbids', { targetRefs: undefined, targetSelectors: undefined }, 'either targetRef'],
  ])(
    'would have refused %s',
    async (_, spec, says) => {
      const policy = made.find(each => each.kind === 'SecurityPolicy') as KubeObject
      const broken = JSON.parse(JSON.stringify({ ...policy, spec: { ...(policy.spec as object), ...spec } }))
      const { code, stderr } = await controlPlane.kubectl([...strictly, '-f', '-'], inYaml([broken]))
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(says) })
    },
    30_000,
  )

  test('select by labels what our own reading of the selectors says', async () => {
    const selectors = selectorsOf(made)
    const routes = labelledRoutes('default', selectors)
    await applied(controlPlane, ...routes)
    expect(selectors.length).toBeGreaterThan(3)
    for (const selector of selectors) {
      const args = ['get', 'httproutes', '-n', 'default', '-l', written(selector), '-o', 'jsonpath={..metadata.name}']
      const selected = ((await succeeds(controlPlane, args)).match(/\S+/g) ?? []).sort()
      const ours = routes.filter(each => selects(selector, labels(each))).map(each => String(each.metadata.name))
      expect({ [written(selector)]: ours.sort() }).toEqual({ [written(selector)]: selected })
    }
  }, 60_000)

  describe.each(setups)('render of $title', ({ facts, manifests }) => {
    test('is applied by kubectl in one go, with its routes as the golden says', async () => {
      const labelled = manifests.map(each => each.labelled)
      const goldens = manifests.map(each => each.stored)
      const expected = await completed(controlPlane, goldens)
      const rendered = await render([...facts, ...labelled])
      const { code, stderr } = await controlPlane.kubectl(['apply', '-f', '-'], rendered)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expectSame(await stored(controlPlane, labelled), expected)
      await succeeds(controlPlane, ['delete', '--wait=false'], labelled)
    }, 60_000)
  })
})

function namespacesOf(setup: (typeof setups)[number]): unknown[] {
  return clusterObjects([setup]).flatMap(({ kind, metadata }) => (kind === 'Namespace' ? [metadata.name] : []))
}

/** By the real command, from standard input. */
async function render(documents: readonly KubeObject[]): Promise<string> {
  const running = promisify(execFile)(process.execPath, [join(ROOT, 'src/main.ts'), 'render', '-f', '-'])
  running.child.stdin?.end(inYaml(documents))
  return (await running).stdout
}
