// Envoy Gateway with a policy made by hand for one route, as many have it: its faults, and how the label takes it over.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { KubeObject } from '../../src/core/types.ts'
import { pathOf, until } from '../integration/api.ts'
import { applied, selector, succeeds } from '../integration/objects.ts'
import { type Intruders, startIntruders } from './intruders/intruders.ts'
import { outcome, untilClosed, untilOpen } from './protected.ts'
import { type Client, clientOf } from './stage/client.ts'
import { GROUPS } from './stage/people.ts'
import { ENVOY_HTTP_ROUTE } from './stage/route-kinds.ts'
import type { Stage } from './stage/stage.ts'

const AFTERWARDS_MS = 6_000

export function describeTakenOver(stage: () => Stage): void {
  describe('an HTTPRoute with a policy made by hand', () => {
    const clients: Client[] = []
    const fresh = () => {
      const client = clientOf(stage())
      clients.push(client)
      return client
    }
    const controlPlane = () => stage().cluster.controlPlane
    const host = (name: string) => `${name}.team-a.${stage().domain}`
    const url = (path: string) => `https://${host('alertmanager')}${path}`
    const route = (name: string) =>
      ENVOY_HTTP_ROUTE.route({ namespace: 'monitoring', name, host: host(name), service: 'prometheus', port: 80 })
    const policy = () => byHand('alertmanager', host('alertmanager'))
    let intruders: Intruders

    beforeAll(async () => {
      await applied(controlPlane(), route('alertmanager'), route('status'), policy())
      await untilOpen(fresh(), `https://${host('status')}/`)
      await untilClosed(fresh(), url('/'))
      intruders = startIntruders(stage(), host('status'), 100)
    }, 90_000)
    afterAll(async () => {
      for (const client of clients) client.close()
      await intruders?.stop()
    })

    test('before: the way back loses everything after the first ampersand', async () => {
      const got = await fresh().login(url('/d/x?a=1&b=2'), 'alice')
      expect([got.url, got.status]).toEqual([url('/d/x?a=1'), 200])
    })

    test('before: whoever is in the team lets themselves into what is for its administrators', async () => {
      const member = fresh()
      await member.login(url('/'), 'anna')
      expect(outcome(await member.ask(url('/')))).toEqual([403, undefined])
      expect(outcome(await member.ask(url(`/?z=1&allowed_groups=${GROUPS['team-a']}`)))).toEqual([200, 'prometheus'])
    })

    test('the label is admitted beside it, and takes over when it goes, without one open answer in between', async () => {
      intruders.watch(host('alertmanager'), 'once closed')
      await until('intruders meet it', async () => (await intruders.report()).closed > 0)
      const labels = ['auth.example/protect=true', 'auth.example/access=admins']
      await succeeds(controlPlane(), ['label', ...selector(route('alertmanager')), ...labels])
      await sleep(AFTERWARDS_MS)
      await stage().cluster.api.send('DELETE', pathOf(policy()))
      await sleep(AFTERWARDS_MS)
      const { leaks, closed } = await intruders.report()
      expect(leaks).toEqual([])
      expect(closed).toBeGreaterThan(100)
    }, 90_000)

    test('after: the way back is exact', async () => {
      const got = await fresh().login(url('/d/x?a=1&b=2'), 'alice')
      expect([got.url, got.reached?.url]).toEqual([url('/d/x?a=1&b=2'), '/d/x?a=1&b=2'])
    })

    test('after: nobody lets themselves in', async () => {
      const member = fresh()
      await member.login(url('/'), 'anna')
      for (const path of ['/', `/?z=1&allowed_groups=${GROUPS['team-a']}`]) {
        expect(outcome(await member.ask(url(path)))).toEqual([403, undefined])
      }
    })
  })
}

/** The path of the request is appended to that of the policy, so that its query becomes a part of the auth call's. */
function byHand(name: string, host: string): KubeObject {
  const http = {
    backendRefs: [{ name: 'oauth2-proxy', namespace: 'login-team-a', port: 80 }],
    path: `/?allowed_groups=${GROUPS.admins}&rd=https://${host}`,
    headersToBackend: ['x-auth-request-user', 'x-auth-request-email', 'x-auth-request-groups'],
  }
  const spec = {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name }],
    extAuth: {
      failOpen: false,
      recomputeRoute: true,
      headersToExtAuth: ['cookie', 'accept', 'authorization', 'x-forwarded-proto', 'x-forwarded-for'],
      http,
    },
  }
  const metadata = { namespace: 'monitoring', name: `${name}-by-hand` }
  return { apiVersion: 'gateway.envoyproxy.io/v1alpha1', kind: 'SecurityPolicy', metadata, spec }
}
