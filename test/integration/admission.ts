// What a person with kubectl meets when the API server asks the webhook, and when it cannot, whichever way the webhook
// gets its facts.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { expectSame } from './expect-same.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { applied, fromYaml, inYaml, selector, stored, succeeds } from './objects.ts'
import { base, gatewayRoute, ingress, PROTECT } from './routes.ts'
import type { PrepareWebhook, Webhook } from './webhook.ts'

const AUTH_URL = 'nginx.ingress.kubernetes.io/auth-url'

const PARTS = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const
const RULES = [{ backendRefs: [{ name: 'old', port: 80 }] }]
/** The same facts, but the teams are for another namespace. */
const elsewhere = base.map(each =>
  each.kind === 'AuthTeam' ? { ...each, spec: { ...object(each.spec), namespaces: { names: ['elsewhere'] } } } : each,
)

export function describeAdmission(title: string, prepare: PrepareWebhook): void {
  describeWithParts(title, PARTS, () => {
    let controlPlane: ControlPlane
    let webhook: Webhook

    const run = (args: string[], ...documents: KubeObject[]) => succeeds(controlPlane, args, documents)
    const create = (...documents: KubeObject[]) => run(['create'], ...documents)
    const patch = (route: KubeObject, changes: object) =>
      controlPlane.kubectl(['patch', ...selector(route), '--type=merge', '-p', JSON.stringify(changes)])
    const get = async (route: KubeObject) => (await stored(controlPlane, [route]))[0] as KubeObject
    const annotations = async (route: KubeObject) => object((await get(route)).metadata.annotations)
    const exists = async (route: KubeObject) => (await run(['get', '--ignore-not-found', ...selector(route)])) !== ''
    const refusal = async (args: string[], route: KubeObject) => {
      const { code, stderr } = await controlPlane.kubectl([...args, '-f', '-'], inYaml([route]))
      expect(code).toBe(1)
      return stderr
    }

    beforeAll(async () => {
      controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
      await controlPlane.applyCrds(...gatewayDefinitions())
      await applied(controlPlane, ...base.filter(each => each.kind === 'Namespace'))
      webhook = await prepare(controlPlane)
    }, 180_000)

    afterAll(async () => {
      await webhook?.stop()
      await controlPlane?.stop()
    })

    describe('with the webhook there', () => {
      beforeAll(() => webhook.serve(base, [ingress('probe'), gatewayRoute('HTTPRoute', 'v1', 'probe', RULES)]), 60_000)

      test('a label that is refused comes back as a sentence that says what to do, with its code', async () => {
        const route = ingress('refused', { host: 'wiki.example.org' })
        const says = await refusal(['create'], route)
        expect(says).toMatch(
          /"validate\.auth\.example" denied the request: .*host wiki\.example\.org is not one of team team-a/,
        )
        expect(says).toContain('use a host of the team, or ask an administrator [host-of-others]')
        expect(await exists(route)).toBe(false)
      }, 30_000)

      test('what is worth knowing comes back as a warning', async () => {
        const route = ingress('warned')
        const metadata = { ...route.metadata, annotations: { 'nginx.ingress.kubernetes.io/proxy-boddy-size': '8m' } }
        const { code, stderr } = await controlPlane.kubectl(['create', '-f', '-'], inYaml([{ ...route, metadata }]))
        expect({ code, stderr }).toEqual({
          code: 0,
          stderr: expect.stringMatching(/^Warning: .*\[annotation-unknown]$/m),
        })
      }, 30_000)

      test('a route without the label never reaches the webhook', async () => {
        const route = ingress('open', { label: '' })
        await create(route)
        await run(['annotate', ...selector(route), 'team=wiki'])
        await run(['delete', ...selector(route)])
        const labelled = ingress('closed')
        await create(labelled)
        const refs = (await webhook.asked()).map(each => each.ref)
        expect(refs).toContain('Ingress/wiki/closed')
        expect(refs).not.toContain('Ingress/wiki/open')
      }, 30_000)

      test('an HTTPRoute of v1beta1 is protected like one of v1', async () => {
        const route = gatewayRoute('HTTPRoute', 'v1beta1', 'old', RULES)
        await create(route)
        expect((await get(route)).spec).toMatchObject({
          rules: [{ filters: [{ type: 'ExtensionRef', extensionRef: { group: 'traefik.io', kind: 'Middleware' } }] }],
        })
        const foreign = { ...route, spec: { ...object(route.spec), hostnames: ['wiki.example.org'] } }
        expect(await refusal(['replace'], foreign)).toContain('[host-of-others]')
      }, 30_000)

      test('the label on a GRPCRoute, where it would do nothing, is refused', async () => {
        const rules = [{ backendRefs: [{ name: 'grpc', port: 80 }] }]
        expect(await refusal(['create'], gatewayRoute('GRPCRoute', 'v1', 'grpc', rules))).toContain('[route-kind]')
      }, 30_000)

      test('a route whose name the API server makes is protected', async () => {
        const route = ingress('generated')
        const { name: _, ...metadata }: KubeObject['metadata'] = { ...route.metadata, generateName: 'generated-' }
        const [made] = fromYaml(await run(['create', '-o', 'yaml'], { ...route, metadata }))
        expect(object(made?.metadata.annotations)).toHaveProperty([AUTH_URL])
      }, 30_000)

      test('a write to the status takes neither label nor protection off', async () => {
        const route = ingress('status')
        await create(route)
        const before = await get(route)
        const changes = { metadata: { labels: { [PROTECT]: null }, annotations: { [AUTH_URL]: null } } }
        const args = [
          'patch',
          ...selector(route),
          '--subresource=status',
          '--type=merge',
          '-p',
          JSON.stringify(changes),
        ]
        const { code, stderr } = await controlPlane.kubectl(args)
        expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('[status-changes]') })
        expectSame([await get(route)], [before])
      }, 30_000)

      test('an annotation of ours that somebody removes is there again', async () => {
        const route = ingress('drift')
        await create(route)
        const before = await get(route)
        expect((await patch(route, { metadata: { annotations: { [AUTH_URL]: null } } })).code).toBe(0)
        expectSame([await get(route)], [before])
      }, 30_000)

      test('a create whose mutating call was left out waits until it is back, and nobody sees it', async () => {
        const route = ingress('patient')
        await webhook.removeMutating()
        const creating = controlPlane.kubectl(['create', '-f', '-'], inYaml([route]))
        while (!(await webhook.asked()).some(each => each.ref.endsWith('/patient'))) await sleep(50)
        await webhook.restoreMutating()
        expect(await creating).toMatchObject({ code: 0, stderr: '' })
        expect(await annotations(route)).toHaveProperty([AUTH_URL])
        expect((await webhook.asked()).find(each => each.ref.endsWith('/patient'))).toMatchObject({
          entry: 'validate',
          outcome: 'later',
          codes: ['injection-missing'],
        })
      }, 60_000)
    })

    describe('after no team admits the namespace any more', () => {
      const annotated = ingress('annotated')
      const changed = ingress('changed')
      const released = ingress('released')
      const finalized = ingress('finalized')

      beforeAll(async () => {
        await webhook.serve(base, [ingress('probe')])
        await create(annotated, changed, released, finalized)
        await webhook.serve(elsewhere)
        const isKnown = async () =>
          (await controlPlane.kubectl(['create', '--dry-run=server', '-f', '-'], inYaml([ingress('probe')]))).code !== 0
        while (!(await isKnown())) await sleep(50)
      }, 60_000)

      test('an update of something else goes through and keeps the protection', async () => {
        await run(['annotate', ...selector(annotated), 'owner=somebody'])
        expect(await annotations(annotated)).toMatchObject({ owner: 'somebody', [AUTH_URL]: expect.any(String) })
      }, 30_000)

      test('an update that decides about protection is refused', async () => {
        const refused = await patch(changed, { metadata: { labels: { 'auth.example/client': 'api' } } })
        expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('[team-none]') })
      }, 30_000)

      test('the label can be removed, and the route is as it was', async () => {
        expect(await patch(released, { metadata: { labels: { [PROTECT]: null } } })).toMatchObject({ code: 0 })
        expectSame([await get(released)], [ingress('released', { label: '' })])
      }, 30_000)

      test('a finalizer on a deleted route can be removed, and the route is gone', async () => {
        expect(await patch(finalized, { metadata: { finalizers: ['example.com/cleanup'] } })).toMatchObject({ code: 0 })
        await run(['delete', ...selector(finalized), '--wait=false'])
        expect((await get(finalized)).metadata).toHaveProperty('deletionTimestamp')
        expect(await patch(finalized, { metadata: { finalizers: null } })).toMatchObject({ code: 0, stderr: '' })
        expect(await exists(finalized)).toBe(false)
      }, 30_000)
    })

    describe('with the webhook away', () => {
      const there = ingress('there')

      beforeAll(async () => {
        await webhook.serve(base, [there])
        await create(there)
        await webhook.stop()
      }, 60_000)

      test('a route without the label is stored', async () => {
        await create(ingress('unasked', { label: '' }))
      }, 30_000)

      test('a route with the label is refused, and the text says which webhook could not be asked', async () => {
        const route = ingress('unheard')
        const says = await refusal(['create'], route)
        expect(says).toMatch(/failed calling webhook "validate\.auth\.example": .*connection refused/)
        expect(await exists(route)).toBe(false)
      }, 30_000)

      test('a protected route can be deleted', async () => {
        await run(['delete', ...selector(there)])
        expect(await exists(there)).toBe(false)
      }, 30_000)
    })
  })
}
