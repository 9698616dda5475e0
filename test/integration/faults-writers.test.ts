// Tools that write another caBundle every few seconds, each in its own way, under load: ours is back after each, nothing gets
// in without its login, and with the tools it is over. PORTCULLIS_FAULT_MINUTES: how long each goes on.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { bundleOf, readAuthorities } from '../../src/certificates/authorities.ts'
import { createAuthority } from '../../src/certificates/authority.ts'
import { CONFIGURATIONS } from '../../src/certificates/objects.ts'
import { array, object } from '../../src/core/json.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { documents } from '../manifests/documents.ts'
import { describeWithParts } from '../parts/require.ts'
import { pathOf, until } from './api.ts'
import { labelled, unlabelled } from './faults.ts'
import { failed, figures, startLoad, texts, unprotected } from './load.ts'
import { succeeds } from './objects.ts'
import { minutes, startWhole, type WholeCluster, wholeParts } from './whole-cluster.ts'

const DURING_MS = minutes(1 / 5) * 60_000
const EVERY_MS = 3_000
const LOOK_EVERY_MS = 50
const RIGHT_WITHIN_MS = 5_000
const PER_SECOND = 20

const SHIPPED = documents.filter(each => CONFIGURATIONS.some(({ kind }) => kind === each.kind))

describeWithParts('a caBundle that is written again and again', wholeParts, () => {
  let cluster: WholeCluster
  let foreign: readonly KubeObject[]

  beforeAll(async () => {
    cluster = await startWhole()
    const caBundle = Buffer.from((await createAuthority(new Date())).cert).toString('base64')
    foreign = SHIPPED.map(each => ({
      ...each,
      webhooks: array(each.webhooks).map(entry => withBundle(entry, caBundle)),
    }))
  }, 300_000)

  afterAll(() => cluster?.stop(), 60_000)

  const kubectl = (args: readonly string[]) => succeeds(cluster.controlPlane, args, foreign)
  const configurations = () =>
    Promise.all(SHIPPED.map(async each => (await cluster.api.send('GET', pathOf(each))).body))
  const isRight = async () => {
    const { body } = await cluster.api.send('GET', '/api/v1/namespaces/portcullis/secrets/portcullis-ca')
    const { authorities } = readAuthorities(body.data, Date.now())
    const bundle = authorities && Buffer.from(bundleOf(authorities)).toString('base64')
    const entries = (await configurations()).flatMap(each => array(each.webhooks).map(object))
    return entries.length > 7 && entries.every(each => object(each.clientConfig).caBundle === bundle)
  }
  const ours = async () => {
    const texts = await Promise.all(cluster.controllers.map(async each => (await each.health('/metrics')).text))
    const lines = texts.join('\n').match(/^portcullis_ca_bundle_writes_total\{.*outcome="done"\} \d+$/gm) ?? []
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  const tools: [string, () => Promise<unknown>][] = [
    ['kubectl apply', () => kubectl(['apply'])],
    ['kubectl replace', () => kubectl(['replace'])],
    // Three ways: what it had written before, what is there, what it wants; lists by the names of entries.
    ['Helm', () => Promise.all(foreign.map(each => patched(each)))],
    [
      'Argo CD with server-side apply',
      () => kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=argocd-controller']),
    ],
  ]
  const patched = ({ kind, webhooks }: KubeObject) => {
    const patch = JSON.stringify({ webhooks: array(webhooks).map(each => withoutRules(each)) })
    const args = ['patch', kind, 'portcullis', '--type=strategic', '--field-manager=helm', '-p', patch]
    return succeeds(cluster.controlPlane, args)
  }

  test.each(tools)(
    'by %s is ours again after each time, and stays so afterwards',
    async (tool, write) => {
      const load = startLoad(cluster.controlPlane, {
        perSecond: PER_SECOND,
        route: turn => (turn % 2 === 0 ? labelled : unlabelled)(`written-${turn}`),
        isDryRun: () => true,
      })
      const before = await ours()
      const looking = followRight(isRight)
      const began = performance.now()
      let writes = 0
      while (performance.now() - began < DURING_MS) {
        await write()
        writes++
        await sleep(EVERY_MS)
      }
      await until(`it is right after ${tool}`, isRight, RIGHT_WITHIN_MS)
      const { longestMs, share } = await looking.stop()
      const sent = await load.stop()
      const repairs = (await ours()) - before
      process.stdout.write(figures(tool, sent))
      process.stdout.write(`${texts(sent).join('\n')}\n`)
      const wrong = `wrong for ${Math.round(longestMs)} ms at most, ${Math.round(share * 100)} % of the time`
      process.stdout.write(`${tool}: written ${writes} times, ${wrong}; ${repairs} writes of ours\n`)
      expect(unprotected(sent)).toEqual([])
      for (const { isLabelled, message } of failed(sent)) {
        expect(isLabelled).toBe(true)
        expect(message).toMatch(/failed calling webhook "validate\.auth\.example"|injection-missing/)
      }
      expect(longestMs).toBeLessThan(RIGHT_WITHIN_MS)
      expect(repairs).toBeGreaterThanOrEqual(writes)
      const versions = async () => (await configurations()).map(each => object(each.metadata).resourceVersion)
      const still = await versions()
      await sleep(EVERY_MS)
      expect(await versions()).toEqual(still)
      expect(await cluster.isServed()).toBe(true)
    },
    DURING_MS + 60_000,
  )
})

function withBundle(entry: unknown, caBundle: string): object {
  return { ...object(entry), clientConfig: { ...object(object(entry).clientConfig), caBundle } }
}

/** Lists of rules are replaced as a whole, and would be the same. */
function withoutRules(entry: unknown): object {
  const { name, clientConfig } = object(entry)
  return { name, clientConfig }
}

function followRight(isRight: () => Promise<boolean>) {
  const state = { longestMs: 0, wrongMs: 0, since: undefined as number | undefined, stopped: false }
  const began = performance.now()
  const run = async () => {
    while (!state.stopped) {
      const at = performance.now()
      if (!(await isRight())) state.since ??= at
      else if (state.since !== undefined) {
        state.longestMs = Math.max(state.longestMs, at - state.since)
        state.wrongMs += at - state.since
        state.since = undefined
      }
      await sleep(LOOK_EVERY_MS)
    }
  }
  const running = run()
  return {
    async stop() {
      state.stopped = true
      await running
      return { longestMs: state.longestMs, share: state.wrongMs / (performance.now() - began) }
    },
  }
}
