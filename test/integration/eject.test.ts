// `portcullis eject` on a real API server: what owners wrote is what is left, whatever comes in between.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { type EjectOptions, eject } from '../../src/commands/eject.ts'
import { COMPANION_KINDS } from '../../src/controller/undo.ts'
import { INJECTED } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { captured, start } from '../commands/portcullis.ts'
import type { ControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { type Api, connect, until } from './api.ts'
import { expectSame } from './expect-same.ts'
import { applied, completed, stored, succeeds, versions } from './objects.ts'
import { ingress } from './policy-objects.ts'
import {
  configFile,
  current,
  everything,
  leftOvers,
  type Protected,
  protect,
  protectedParts,
  setups,
  startCluster,
} from './protected-cluster.ts'
import { refusingPolicy } from './refusing-policy.ts'

/** More than are undone before the first of them is heard of. */
const COPIES = 120
/** Nobody may change one of the routes. */
const HANDS_OFF = refusingPolicy({
  name: 'hands-off',
  apiGroup: 'gateway.networking.k8s.io',
  resource: 'httproutes',
  operations: ['UPDATE'],
  expression: "object.metadata.name != 'prometheus'",
  message: 'hands off',
})
const NO_TERMINAL = { ask: undefined }

describeWithParts('eject', protectedParts, () => {
  let controlPlane: ControlPlane
  let api: Api
  let config: string
  const run = async (options: EjectOptions, ask?: (question: string) => Promise<string>) => {
    const io = captured()
    const { kubeconfig } = controlPlane
    const code = await eject({ kubeconfig, config, ...options }, io, ask === undefined ? NO_TERMINAL : { ask })
    return { code, ...io.text }
  }

  beforeAll(async () => {
    controlPlane = await startCluster()
    config = configFile(controlPlane)
    api = connect(controlPlane)
  }, 120_000)

  afterAll(async () => {
    api?.close()
    await controlPlane?.stop()
  })

  /** Whatever a test leaves behind is not what the next one finds. */
  beforeEach(async () => {
    const kinds = [...COMPANION_KINDS].join(',').toLowerCase()
    await succeeds(controlPlane, ['delete', kinds, '--all', '--all-namespaces', '--wait=false'])
  }, 60_000)

  describe.each([
    { byHand: false },
    { byHand: true },
  ])('the reference setups, login made by hand before: $byHand', which => {
    let cluster: Protected
    beforeEach(async () => {
      cluster = await protect(controlPlane, setups(which))
    }, 60_000)

    test('are as their owners wrote them afterwards, no companion is left, and every object is reported', async () => {
      const before = await leftOvers(controlPlane)
      expect(before.length).toBe(cluster.labelled.length + cluster.companions.length)
      const { code, out, err } = await run({ yes: true })
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expectSame(await current(controlPlane, cluster), cluster.bare)
      expect(await leftOvers(controlPlane)).toEqual([])
      for (const { kind, metadata } of cluster.labelled)
        expect(out).toContain(`\n${kind} ${metadata.namespace}/${metadata.name}: as its owner wrote it\n`)
      for (const { kind, metadata } of cluster.companions)
        expect(out).toContain(`\n${kind} ${metadata.namespace}/${metadata.name}: removed\n`)
      expect(out).toMatch(
        new RegExp(
          `\n${cluster.labelled.length} routes undone, ${cluster.companions.length} companions removed, nothing is left\n$`,
        ),
      )
      expect(await run({ yes: true })).toMatchObject({ code: 0, out: expect.stringContaining('0 routes undone') })
    }, 60_000)

    test('are listed by --dry-run with the hosts that become public, and nothing is changed', async () => {
      const before = versions(await everything(controlPlane))
      const { code, out } = await run({ dryRun: true })
      expect(code).toBe(0)
      for (const { kind, metadata } of [...cluster.labelled, ...cluster.companions])
        expect(out).toContain(`  ${kind} ${metadata.namespace}/${metadata.name}\n`)
      const [, open] = out.split('PUBLIC afterwards:\n')
      expect(open?.trim().split('\n').length).toBe(cluster.labelled.length)
      expect(versions(await everything(controlPlane))).toEqual(before)
    }, 60_000)
  })

  describe('asks', () => {
    let cluster: Protected
    beforeEach(async () => {
      cluster = await protect(controlPlane, setups({ byHand: false }))
    }, 60_000)

    test('and changes nothing unless the answer is yes', async () => {
      const before = versions(await everything(controlPlane))
      const asked: string[] = []
      const answer = (text: string) => (question: string) => {
        asked.push(question)
        return Promise.resolve(text)
      }
      expect(await run({}, answer('no'))).toMatchObject({ code: 1, err: 'nothing was changed\n' })
      expect(await run({}, answer(''))).toMatchObject({ code: 1 })
      expect(versions(await everything(controlPlane))).toEqual(before)
      expect((await run({}, answer('y'))).code).toBe(0)
      expect(asked).toEqual(['Take it out? [y/N] ', 'Take it out? [y/N] ', 'Take it out? [y/N] '])
      expectSame(await current(controlPlane, cluster), cluster.bare)
    }, 60_000)

    test('and without a terminal and without --yes it is a mistake of usage', async () => {
      const before = versions(await everything(controlPlane))
      expect(await run({})).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--yes') })
      expect(versions(await everything(controlPlane))).toEqual(before)
    }, 60_000)
  })

  test('with --namespace takes out what belongs to that namespace, and leaves all else as it is', async () => {
    const cluster = await protect(controlPlane, setups({ byHand: false }))
    const before = await everything(controlPlane)
    const { code, out } = await run({ yes: true, namespace: 'monitoring-team-a' })
    expect(code).toBe(0)
    expect(out).toContain('HTTPRoute monitoring-team-a/prometheus: as its owner wrote it')
    const after = await everything(controlPlane)
    const ofNamespace = (objects: readonly KubeObject[], is: boolean) =>
      objects.filter(
        ({ metadata, kind }) => kind === 'HTTPRoute' && (metadata.namespace === 'monitoring-team-a') === is,
      )
    expect(ofNamespace(before, true).length).toBeGreaterThan(2)
    const routes = cluster.labelled.filter(each => each.metadata.namespace === 'monitoring-team-a')
    expectSame(
      await stored(controlPlane, routes),
      cluster.bare.filter(each => each.metadata.namespace === 'monitoring-team-a'),
    )
    // What guards the Gateway guards it for every namespace.
    const names = after.map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`)
    expect(names.filter(each => each.includes('portcullis-client-')).length).toBe(1)
    expect(names.filter(each => each.startsWith('SecurityPolicy/monitoring-team-a/portcullis'))).toEqual([])
    const others = before.filter(
      ({ kind, metadata }) =>
        kind === 'Ingress' || (kind === 'HTTPRoute' && String(metadata.name).startsWith('portcullis-anchor')),
    )
    expect(others.length).toBeGreaterThan(3)
    const isThere = new Set(versions(after))
    expect(versions(others).every(version => isThere.has(version))).toBe(true)
  }, 60_000)

  test('leaves nothing behind while somebody writes the same routes all the time', async () => {
    const cluster = await protect(controlPlane, setups({ byHand: false }))
    const busy = { writes: 0, over: false }
    const write = async () => {
      while (!busy.over) {
        for (const each of cluster.labelled) {
          const annotations = { 'example.com/busy': String(busy.writes++) }
          await api.patch(each, { metadata: { annotations } })
        }
      }
    }
    const writing = write()
    const { code, out } = await run({ yes: true })
    busy.over = true
    await writing
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('nothing is left') })
    expect(busy.writes).toBeGreaterThan(20)
    for (const each of cluster.labelled)
      await api.patch(each, { metadata: { annotations: { 'example.com/busy': null } } })
    expectSame(await current(controlPlane, cluster), cluster.bare)
  }, 60_000)

  test('that was killed half way is completed by the next', async () => {
    const [setup] = setups({ byHand: false }).filter(({ title }) => title.includes('ingress nginx'))
    const manifest = setup?.manifests[0]
    if (manifest === undefined) throw new Error('the setup has no route')
    const copies = Array.from({ length: COPIES }, (_, i) => copy(manifest.stored, i))
    const originals = Array.from({ length: COPIES }, (_, i) => copy(manifest.labelled, i))
    for (const each of copies) expect((await api.create(each)).status).toBe(201)
    const first = start('eject', '--yes', '--kubeconfig', controlPlane.kubeconfig, '--config', config)
    await first.line(/copy-\d+: as its owner wrote it/)
    first.kill('SIGKILL')
    await first.ended
    const between = await leftOvers(controlPlane)
    expect(between.length).toBeGreaterThan(0)
    expect(between.length).toBeLessThan(COPIES)
    const { code, out } = await run({ yes: true })
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining(`${between.length} routes undone`) })
    expect(await leftOvers(controlPlane)).toEqual([])
    const after = await stored(controlPlane, originals.slice(0, 10))
    await succeeds(controlPlane, ['delete', 'ingress', '--all', '-n', String(manifest.labelled.metadata.namespace)])
    expectSame(after, await completed(controlPlane, originals.slice(0, 10)))
  }, 90_000)

  test('takes no more out of a route with a forged record than its author could, and says what it left', async () => {
    const annotations = {
      'nginx.ingress.kubernetes.io/auth-url': 'http://mine.example.com',
      'example.com/note': 'mine',
      [INJECTED]: JSON.stringify({
        ...{ format: 1, gateway: 'ingress-nginx', team: 'monitoring' },
        set: { 'example.com/note': 'mine', 'nginx.ingress.kubernetes.io/auth-url': 'http://mine.example.com' },
        was: {
          'nginx.ingress.kubernetes.io/auth-snippet': 'return 200;',
          'nginx.ingress.kubernetes.io/auth-url': null,
        },
      }),
    }
    const forged = ingress('forged', { namespace: 'default', annotations })
    const broken = ingress('broken', {
      namespace: 'default',
      annotations: { [INJECTED]: 'not a record', 'example.com/note': 'mine' },
    })
    await applied(controlPlane, forged, broken)
    const { code, out } = await run({ yes: true })
    expect(code).toBe(0)
    expect(out).toMatch(/Ingress default\/forged: undone; .* stays: example\.com\/note\n/)
    const [first, second] = await stored(controlPlane, [forged, broken])
    expect(first?.metadata.annotations).toEqual({ 'example.com/note': 'mine' })
    expect(second?.metadata.annotations).toEqual({ 'example.com/note': 'mine' })
  }, 60_000)

  test('leaves a route whose gateway the configuration lacks as it is: its record is all that tells what it was', async () => {
    const cluster = await protect(controlPlane, setups({ byHand: false }))
    const route = cluster.labelled.filter(({ kind, metadata }) => `${kind}/${metadata.name}` === 'Ingress/prometheus')
    const before = versions(await stored(controlPlane, route))
    const other = join(controlPlane.dir, 'other.yaml')
    const controllers = [{ controller: 'traefik.io/ingress-controller', gateway: 'traefik' }]
    writeFileSync(
      other,
      stringify({ apiVersion: 'config.auth.example/v1alpha1', kind: 'PortcullisConfig', controllers }),
    )
    const { code, err } = await run({ yes: true, config: other })
    expect(code).toBe(1)
    expect(err).toMatch(/^Ingress monitoring\/prometheus: the configuration has no ingress-nginx, .* --config$/m)
    expect(versions(await stored(controlPlane, route))).toEqual(before)
    expect((await run({ yes: true })).code).toBe(0)
    expectSame(await current(controlPlane, cluster), cluster.bare)
  }, 60_000)

  test('keeps what guards a route that it could not undo, says which, and completes once it can', async () => {
    const cluster = await protect(controlPlane, setups({ byHand: false }))
    await applied(controlPlane, ...HANDS_OFF)
    await until(
      'hands are off',
      async () =>
        (await api.patch(one(cluster, 'prometheus'), { metadata: { annotations: { a: 'b' } } }, undefined)).status ===
        422,
    )
    const { code, out, err } = await run({ yes: true })
    expect(code).toBe(1)
    expect(err).toMatch(/^HTTPRoute monitoring-team-a\/prometheus: .*hands off/m)
    expect(err).toMatch(
      /^SecurityPolicy monitoring-team-a\/portcullis-team\.team-a: HTTPRoute monitoring-team-a\/prometheus may still need it$/m,
    )
    expect(err).toMatch(/^SecurityPolicy monitoring-team-a\/portcullis-zz-net\.1: /m)
    expect(out).toContain('Ingress whoami/whoami: as its owner wrote it')
    expect(await leftOvers(controlPlane)).toContain('HTTPRoute/monitoring-team-a/prometheus')
    await succeeds(controlPlane, ['delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', 'hands-off'])
    await until(
      'hands are on again',
      async () =>
        (await api.patch(one(cluster, 'prometheus'), { metadata: { annotations: { a: null } } })).status === 200,
    )
    expect((await run({ yes: true })).code).toBe(0)
    expect(await leftOvers(controlPlane)).toEqual([])
    expectSame(await current(controlPlane, cluster), cluster.bare)
  }, 120_000)
})

function copy(route: KubeObject, index: number): KubeObject {
  return { ...route, metadata: { ...route.metadata, name: `copy-${index}` } }
}

function one({ labelled }: Protected, name: string): KubeObject {
  const found = labelled.find(each => each.kind === 'HTTPRoute' && each.metadata.name === name)
  if (found === undefined) throw new Error(`no HTTPRoute ${name}`)
  return found
}
