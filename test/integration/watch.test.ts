// Watches of a real API server, by way of a real proxy that does to connections what networks and middleboxes do.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { type Connection, connect } from '../../src/kube/connection.ts'
import type { Counts } from '../../src/kube/watched.ts'
import { ask, type Mirror, type MirrorOptions, startMirror, until } from '../kube/mirror.ts'
import type { Seen } from '../kube/proxy.ts'
import { EXPIRED, firstOf, gone, onlyToken } from '../kube/proxy-faults.ts'
import { type ControlPlane, controlPlaneParts, startControlPlane } from '../parts/control-plane.ts'
import { describeWithParts } from '../parts/require.ts'
import { INGRESSES, ingress, type Stirred, startStirred } from './stirred.ts'

const NO_RELIST = { Namespace: 0, IngressClass: 0, Ingress: 0 }
const ONE_RELIST = { Namespace: 1, IngressClass: 1, Ingress: 1 }

describeWithParts('watches of a real API server', controlPlaneParts, () => {
  let controlPlane: ControlPlane
  let direct: Connection
  let stirred: Stirred
  const mirrors: Mirror[] = []

  beforeAll(async () => {
    controlPlane = await startControlPlane({ dir: mkdtempSync(join(tmpdir(), 'portcullis-')) })
    direct = await connect(controlPlane.kubeconfig, {})
    stirred = await startStirred(direct)
  }, 120_000)

  afterEach(async () => {
    for (const mirror of mirrors.splice(0)) await mirror.stop()
  })

  afterAll(async () => {
    direct?.close()
    await controlPlane?.stop()
  })

  const mirror = async (options: Partial<MirrorOptions> = {}): Promise<Mirror> => {
    const { kubeconfig, dir } = controlPlane
    const started = await startMirror({ kubeconfig, dir, direct, ...options })
    mirrors.push(started)
    return started
  }

  test('have after the first list and every change what the server has', async () => {
    const { same, relists, watched, objects } = await mirror({ limits: { pageSize: 2 } })
    await same()
    await stirred.stir()
    await same()
    expect(relists()).toEqual(NO_RELIST)
    expect(watched.kinds.get('Ingress')?.counts).toMatchObject({ lists: 1, pages: 2 })
    for (const object of objects.values()) {
      expect(object).toMatchObject({ apiVersion: expect.any(String), kind: expect.any(String) })
      expect(object.metadata).not.toHaveProperty('managedFields')
    }
  }, 60_000)

  test('go on after a reset, without a re-list', async () => {
    const { same, relists, proxy } = await mirror()
    for (let i = 0; i < 3; i++) {
      proxy.reset()
      await stirred.stir()
      await same()
    }
    expect(relists()).toEqual(NO_RELIST)
  }, 60_000)

  test('go on after connections that were dead without a sign, without a re-list', async () => {
    const { same, relists, proxy, watched } = await mirror({ limits: { quietMs: 1500 } })
    proxy.freeze()
    await stirred.stir()
    await same()
    expect(stalls(watched)).toBeGreaterThan(0)
    expect(relists()).toEqual(NO_RELIST)
  }, 60_000)

  test('go on after streams in which nothing comes any more, without a re-list', async () => {
    const { same, relists, proxy, watched } = await mirror({ limits: { quietMs: 1500 } })
    for (const live of proxy.live) live.pass = () => undefined
    await stirred.stir()
    await same()
    expect(stalls(watched)).toBeGreaterThan(0)
    expect(relists()).toEqual(NO_RELIST)
  }, 60_000)

  test.each([
    ['an answer 410', gone],
    [
      'an error 410 in the stream',
      (response: ServerResponse) => response.writeHead(200).end(`${JSON.stringify(EXPIRED)}\n`),
    ],
  ])(
    'list again once after %s, and miss nothing that happened in between',
    async (_, answer) => {
      const { same, relists, proxy } = await mirror()
      proxy.fault = firstOf('watch', answer)
      proxy.reset()
      await stirred.stir()
      await same()
      expect(relists()).toEqual(ONE_RELIST)
    },
    60_000,
  )

  test('list again no more often than they may while every watch is told 410', async () => {
    const { same, relists, proxy } = await mirror({ limits: { relistEveryMs: 1500 } })
    proxy.fault = (seen, response) => seen.kind === 'watch' && gone(response)
    proxy.reset()
    const began = performance.now()
    await stirred.stir()
    await sleep(2000)
    const most = Math.floor((performance.now() - began) / 1500) + 1
    for (const count of Object.values(relists())) expect(count).toBeLessThanOrEqual(most)
    proxy.fault = undefined
    await stirred.stir()
    await same()
  }, 60_000)

  test('see what happens after a second 410 within a minute, though they may not list again', async () => {
    const { relists, proxy, objects, watched } = await mirror()
    const everyKind = (holds: (counts: Counts) => boolean) =>
      until(() => [...watched.kinds.values()].every(({ counts }) => holds(counts)))
    for (const times of [1, 2]) {
      proxy.fault = firstOf('watch', gone)
      proxy.reset()
      await everyKind(({ setbacks }) => setbacks.expired === times)
      await everyKind(({ complete }) => complete === 2)
      await until(() => proxy.live.size === watched.kinds.size)
    }
    const { metadata } = await ask(direct, { method: 'POST', path: INGRESSES, body: JSON.stringify(ingress('late')) })
    await until(() => objects.get('Ingress default/late')?.metadata.resourceVersion === metadata.resourceVersion)
    await ask(direct, { method: 'DELETE', path: `${INGRESSES}/late` })
    await until(() => !objects.has('Ingress default/late'))
    expect(relists()).toEqual(ONE_RELIST)
  }, 60_000)

  test('begin a list anew whose rest has expired, and keep nothing that was gone by then', async () => {
    await stirred.create('a-first')
    const once = firstOf('page', gone)
    const { same, relists, objects } = await mirror({
      limits: { pageSize: 2 },
      prepare: proxy => {
        proxy.fault = (seen, response, request) => {
          return seen.path.endsWith('/ingresses') && once(seen, response, request)
        }
        const firstPage = until(() =>
          proxy.seen.some(({ kind, path }) => kind === 'page' && path.endsWith('/ingresses')),
        )
        void firstPage.then(() => stirred.remove('a-first'))
      },
    })
    await same()
    expect([...objects.keys()]).not.toContain('Ingress default/a-first')
    expect(relists()).toEqual({ ...NO_RELIST, Ingress: 1 })
  }, 60_000)

  test('go on after rubbish in the stream, and list once to be sure', async () => {
    const { same, relists, proxy } = await mirror()
    for (const { client } of proxy.live) client.write('{"type":"MODIFIED","object":{"metadata":{"na\u0000me"}\n')
    await stirred.stir()
    await same()
    await until(() => Object.values(relists()).every(count => count === 1))
    await same()
  }, 60_000)

  test('find again what a middlebox lost between two halves of lines', async () => {
    const { same, relists, proxy } = await mirror()
    for (const live of proxy.live) {
      let pieces = 0
      live.pass = piece => {
        pieces++
        if (pieces === 1) return piece.slice(0, 100)
        return pieces === 2 ? undefined : piece.slice(50)
      }
    }
    // The second time even the quietest kind has said more than what got lost.
    await stirred.stir()
    await stirred.stir()
    await same()
    for (const count of Object.values(relists())) expect(count).toBeLessThanOrEqual(1)
  }, 60_000)

  test.each([
    ['ends', (live: { client: { end(): void } }) => live.client.end()],
    ['breaks', (live: { client: { destroy(): void } }) => live.client.destroy()],
  ])(
    'go on after a stream that %s in the middle of a line, without a re-list',
    async (_, finish) => {
      const { same, relists, proxy } = await mirror()
      for (const live of proxy.live) {
        live.pass = piece => {
          live.pass = () => undefined
          setImmediate(() => finish(live))
          return piece.slice(0, piece.length / 2)
        }
      }
      await stirred.stir()
      await same()
      expect(relists()).toEqual(NO_RELIST)
    },
    60_000,
  )

  test('go on after five answers 503 that say when to come again, without a re-list', async () => {
    const { same, relists, proxy } = await mirror()
    const refusals = new Map<string, number>()
    proxy.fault = ({ path }, response) => {
      const count = (refusals.get(path) ?? 0) + 1
      refusals.set(path, count)
      if (count <= 5) response.writeHead(503, { 'Retry-After': '1' }).end('busy')
      return count <= 5
    }
    proxy.reset()
    await stirred.stir()
    await same()
    expect([...refusals.values()]).toEqual([6, 6, 6])
    expect(relists()).toEqual(NO_RELIST)
  }, 60_000)

  test('take the new token when the old one is refused, without a re-list', async () => {
    const { same, relists, proxy, logged, watched } = await mirror({
      prepare: started => {
        started.token = tokenOf(controlPlane.kubeconfig)
      },
    })
    writeFileSync(`${proxy.kubeconfig}.token`, 'the-new-token')
    proxy.fault = onlyToken('the-new-token')
    proxy.reset()
    await stirred.stir()
    await same()
    expect(relists()).toEqual(NO_RELIST)
    for (const { counts } of watched.kinds.values()) expect(counts.setbacks.unauthorized).toBe(0)
    expect(JSON.stringify(logged)).not.toContain('the-new-token')
    expect(JSON.stringify(logged)).not.toContain(tokenOf(controlPlane.kubeconfig))
  }, 60_000)

  test('wait for a token that is not there yet, without a re-list', async () => {
    const { same, relists, proxy, watched } = await mirror({
      prepare: started => {
        started.token = tokenOf(controlPlane.kubeconfig)
      },
    })
    proxy.fault = onlyToken('the-new-token')
    proxy.reset()
    await stirred.stir()
    await until(() => [...watched.kinds.values()].every(({ counts }) => counts.setbacks.unauthorized > 0))
    writeFileSync(`${proxy.kubeconfig}.token`, 'the-new-token')
    await same()
    expect(relists()).toEqual(NO_RELIST)
  }, 60_000)

  // The API server sends one about every minute, so the proxy says here what it would say then.
  test('go on from a bookmark when nothing else has come', async () => {
    const { same, relists, proxy, watched } = await mirror()
    const versions = new Map<string, string>()
    await stirred.stir()
    for (const { seen, client } of proxy.live) {
      const { apiVersion, kind, metadata } = await ask(direct, { path: `${seen.path}?limit=1` })
      versions.set(seen.path, String(metadata.resourceVersion))
      const object = {
        apiVersion,
        kind: kind.replace('List', ''),
        metadata: { resourceVersion: metadata.resourceVersion },
      }
      client.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`)
    }
    await until(() => [...watched.kinds.values()].every(({ counts }) => counts.bookmarks > 0))
    const before = proxy.seen.length
    proxy.reset()
    await until(() => proxy.seen.length >= before + 3)
    for (const { path, url } of proxy.seen.slice(before)) {
      expect(new URL(url, 'https://proxy').searchParams.get('resourceVersion')).toBe(versions.get(path))
    }
    await stirred.stir()
    await same()
    expect(relists()).toEqual(NO_RELIST)
  }, 60_000)

  test('are not moved by events that come twice, or late', async () => {
    const { same, relists, proxy, watched } = await mirror()
    const said = new Map<Seen, string>()
    for (const live of proxy.live) {
      live.pass = piece => {
        said.set(live.seen, (said.get(live.seen) ?? '') + piece)
        return piece
      }
    }
    await stirred.stir()
    await same()
    for (const { seen, client } of proxy.live) client.write(said.get(seen))
    await until(() => [...watched.kinds.values()].every(({ counts }) => counts.stale > 0))
    await same()
    expect(relists()).toEqual(NO_RELIST)
  }, 60_000)

  test('are repaired by the list that comes by itself, where no event gets through', async () => {
    const { same, relists, proxy } = await mirror({ limits: { backstopMs: 1500 } })
    for (const live of proxy.live) live.pass = () => undefined
    await stirred.stir()
    await same()
    for (const count of Object.values(relists())) expect(count).toBeGreaterThan(0)
  }, 60_000)

  test('go on after the API server was killed and started again, with one re-list of a kind at most', async () => {
    const { same, relists, watched } = await mirror()
    const whileAway = async () => {
      await until(() => [...watched.kinds.values()].every(({ counts }) => counts.setbacks.unreachable > 0))
      expect(watched.ready()).toBe(true)
    }
    await controlPlane.restartApiServer(whileAway)
    await stirred.stir()
    await same()
    for (const count of Object.values(relists())) expect(count).toBeLessThanOrEqual(1)
  }, 60_000)
})

function tokenOf(kubeconfig: string): string {
  return JSON.parse(readFileSync(kubeconfig, 'utf8')).users[0].user.token
}

function stalls({ kinds }: Mirror['watched']): number {
  return [...kinds.values()].reduce((sum, { counts }) => sum + counts.setbacks.stalled, 0)
}
