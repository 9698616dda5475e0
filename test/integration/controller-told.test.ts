// What the controller tells people: the API server takes each Event and each status, and kubectl shows them.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { defaultConfig } from '../../src/api/config.ts'
import type { Said } from '../../src/controller/context.ts'
import { EVENT_REASONS, eventOf } from '../../src/controller/told/events.ts'
import { statusPatch, teamStatus } from '../../src/controller/told/status.ts'
import { reason } from '../../src/core/reasons.ts'
import { FactStore } from '../../src/facts/store.ts'
import { type Connection, connect } from '../../src/kube/connection.ts'
import { createWriter } from '../../src/kube/writer.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { namespace, team } from './cluster-objects.ts'
import { applied, succeeds } from './objects.ts'

const NEEDS_REASONS: ReadonlySet<string> = new Set(['Frozen', 'WaitsForGuards', 'GatewayNotPrepared'])

describeWithParts('what the controller tells', controlPlaneParts, () => {
  let controlPlane: ControlPlane
  let connection: Connection

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    await controlPlane.applyCrds(join(import.meta.dirname, '../../manifests/crds'))
    await applied(controlPlane, namespace('shops'), team('team-a', 'shops'))
    connection = await connect(controlPlane.kubeconfig)
  }, 240_000)

  afterAll(async () => {
    connection?.close()
    await controlPlane?.stop()
  })

  test('every Event is stored once, and kubectl shows it', async () => {
    const writer = createWriter(connection)
    const route = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'shops', name: 'shop', uid: 'u-1' }
    const cluster = { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam', name: 'team-a' }
    const reasons = [reason('team-none', { namespace: 'shops' })]
    for (const about of [route, cluster]) {
      for (const said of Object.keys(EVENT_REASONS) as Said['said'][]) {
        const more = said === 'Refused' ? { message: 'x'.repeat(2000) } : NEEDS_REASONS.has(said) ? { reasons } : {}
        const told = { said, about, ...more } as Said
        const event = eventOf(told, 'pod-1', Date.now())
        expect({ said, ...(await writer.create(event)) }).toMatchObject({ said, outcome: 'done' })
        expect((await writer.create(event)).outcome).toBe('exists')
      }
    }
    const shown = await succeeds(controlPlane, ['get', 'events', '-n', 'shops'])
    expect(shown).toMatch(/Normal +Protected +ingress\/shop +the login stands in front of this route now/)
    expect(shown).toMatch(
      /Warning +Frozen +ingress\/shop +left as it is: no team admits namespace shops;.*\[team-none\]/,
    )
  }, 60_000)

  test('the status is written once, and kubectl get authteams shows it', async () => {
    const writer = createWriter(connection)
    const ref = { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam', name: 'team-a' }
    const read = async () => {
      const got = await writer.get(ref)
      if (got.outcome !== 'done') throw new Error(got.outcome)
      return got.object
    }
    const stored = await read()
    const store = new FactStore(defaultConfig())
    store.put(stored)
    const situation = { services: new Map(), refusals: [], problems: [], configurationProblems: [], now: Date.now() }
    const parsed = store.team('team-a')
    if (parsed === undefined) throw new Error('no team')
    const patch = statusPatch(stored, teamStatus(parsed, store, { stored, ...situation }))
    const version = String(stored.metadata.resourceVersion)
    expect(await writer.patch(ref, version, patch, 'status')).toMatchObject({ outcome: 'done' })
    const after = await read()
    const later = { stored: after, ...situation, now: Date.now() + 3_600_000 }
    expect(statusPatch(after, teamStatus(parsed, store, later))).toEqual([])
    const shown = await succeeds(controlPlane, ['get', 'authteams'])
    expect(shown).toMatch(
      /^NAME +READY +REASON +PROXY +CONFLICTING +INGRESSES +HTTPROUTES +LOGIN +AGE\nteam-a +True +InForce +False +False +0 +0 /,
    )
  }, 30_000)
})
