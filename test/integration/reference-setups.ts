// The applications of the reference setups, put behind a real API server by every way that kubectl has, whichever way the
// webhook gets its facts.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { expectSame } from './expect-same.ts'
import { gatewayDefinitions } from './gateway-definitions.ts'
import { applied, completed, fromYaml, inYaml, selector, stored, succeeds, versions } from './objects.ts'
import { type Manifest, namespacesOf, type Setup } from './setups.ts'
import type { PrepareWebhook, Webhook } from './webhook.ts'

const PARTS = [...controlPlaneParts, 'envoy-gateway-crds', 'traefik-crds'] as const

export function describeSetups(title: string, setups: readonly Setup[], prepare: PrepareWebhook): void {
  describeWithParts(title, PARTS, () => {
    let controlPlane: ControlPlane
    let webhook: Webhook
    /** By title, what the API server makes of the goldens and of the unlabelled manifests while nobody is asked. */
    const expected = new Map<string, { stored: readonly KubeObject[]; bare: readonly KubeObject[] }>()

    beforeAll(async () => {
      controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
      await controlPlane.applyCrds(...gatewayDefinitions())
      await applied(controlPlane, ...namespacesOf(setups))
      const all = setups.flatMap(({ manifests }) => manifests)
      const asStored = await completed(
        controlPlane,
        all.map(each => each.stored),
      )
      const asBare = await completed(
        controlPlane,
        all.map(each => each.unlabelled),
      )
      for (const { title, manifests } of setups) {
        const from = all.indexOf(manifests[0] as Manifest)
        const ofSetup = (objects: readonly KubeObject[]) => objects.slice(from, from + manifests.length)
        expected.set(title, { stored: ofSetup(asStored), bare: ofSetup(asBare) })
      }
      webhook = await prepare(controlPlane)
    }, 180_000)

    afterAll(async () => {
      await webhook?.stop()
      await controlPlane?.stop()
    })

    describe.each(setups)('$title', setup => {
      const { title, facts, manifests, refused } = setup
      const labelled = manifests.map(each => each.labelled)
      const unlabelled = manifests.map(each => each.unlabelled)
      const run = (args: string[], documents: readonly KubeObject[] = []) => succeeds(controlPlane, args, documents)
      const expectProtected = async () =>
        expectSame(await stored(controlPlane, labelled), expected.get(title)?.stored ?? [])
      const expectBare = async () => expectSame(await stored(controlPlane, labelled), expected.get(title)?.bare ?? [])

      beforeAll(() => webhook.serve(facts, labelled), 60_000)
      // A team that protects routes could not go.
      afterAll(() => run(['delete', '--ignore-not-found'], labelled).then(() => undefined), 30_000)

      for (const { labelled: route, unlabelled: bare, codes } of refused) {
        test(`${String(route.metadata.name)} is refused the label, and is stored without it`, async () => {
          const { code, stderr } = await controlPlane.kubectl(['create', '-f', '-'], inYaml([route]))
          expect(code).toBe(1)
          for (const each of codes) expect(stderr).toContain(`[${each}]`)
          await run(['create'], [bare])
          await run(['delete'], [bare])
        }, 30_000)
      }

      if (manifests.length === 0) return

      beforeEach(() => run(['delete', '--ignore-not-found', '--wait=false'], labelled).then(() => undefined), 30_000)

      test('apply stores it protected, applied again nothing changes, and without the label it is as it was', async () => {
        await run(['apply'], labelled)
        await expectProtected()
        await expectSettled(['apply'])
        await run(['apply'], unlabelled)
        await expectBare()
      }, 30_000)

      test('patch puts the label on and takes it off', async () => {
        await run(['create'], unlabelled)
        for (const { labelled: route, labels } of manifests) await patchLabels(route, labels)
        await expectProtected()
        for (const { labelled: route, labels } of manifests) {
          await patchLabels(route, Object.fromEntries(Object.keys(labels).map(key => [key, null])))
        }
        await expectBare()
      }, 30_000)

      // Made by hand or not, it is the same route for the other ways of kubectl.
      if (title.endsWith('made by hand')) return

      test('--dry-run=server shows it protected and stores nothing, create stores it so', async () => {
        const shown = await run(['create', '--dry-run=server', '-o', 'yaml'], labelled)
        expectSame(fromYaml(shown), expected.get(title)?.stored ?? [])
        expect(await run(['get', '--ignore-not-found', '-o', 'name'], labelled)).toBe('')
        await run(['create'], labelled)
        await expectProtected()
      }, 30_000)

      test('replace puts the label on and takes it off', async () => {
        await run(['create'], unlabelled)
        await expectBare()
        await run(['replace'], labelled)
        await expectProtected()
        await run(['replace'], unlabelled)
        await expectBare()
      }, 30_000)

      test('apply --server-side does so too', async () => {
        await run(['apply', '--server-side'], labelled)
        await expectProtected()
        await expectSettled(['apply', '--server-side'])
        await run(['apply', '--server-side'], unlabelled)
        await expectBare()
      }, 30_000)

      test('edit puts the label on and takes it off', async () => {
        await run(['create'], unlabelled)
        for (const manifest of manifests) await edit(manifest, insertLabels(manifest))
        await expectProtected()
        for (const manifest of manifests) await edit(manifest, deleteLabels(manifest))
        await expectBare()
      }, 30_000)

      async function expectSettled(args: string[]): Promise<void> {
        const before = versions(await stored(controlPlane, labelled))
        expect(await run(['diff', ...args.slice(1)], labelled)).toBe('')
        await run(args, labelled)
        expect(versions(await stored(controlPlane, labelled))).toEqual(before)
      }

      async function patchLabels(route: KubeObject, labels: Readonly<Record<string, string | null>>): Promise<void> {
        await run(['patch', ...selector(route), '--type=merge', '-p', JSON.stringify({ metadata: { labels } })])
      }

      /** With the stream editor as the editor. */
      async function edit({ labelled: route }: Manifest, script: string): Promise<void> {
        const file = join(controlPlane.dir, 'edit.sed')
        writeFileSync(file, script)
        await succeeds(controlPlane, ['edit', ...selector(route)], [], { KUBE_EDITOR: `sed -i -f ${file}` })
      }
    })
  })
}

function deleteLabels({ labels }: Manifest): string {
  return Object.keys(labels)
    .map(key => `\\|^    ${key}:|d`)
    .join('\n')
}

/** A script for sed: kubectl prints objects with their keys in order, labels after annotations. */
function insertLabels({ unlabelled, labels }: Manifest): string {
  const lines = Object.entries(labels).map(([key, value]) => `\\n    ${key}: "${value}"`)
  const has = Object.keys(object(unlabelled.metadata.labels)).length > 0
  return has ? `s|^  labels:$|&${lines.join('')}|` : `s|^metadata:$|&\\n  labels:${lines.join('')}|`
}
