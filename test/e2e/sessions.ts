// Whose session opens which application, and how long it lasts.
import { expect, test } from '@jest/globals'
import { until } from '../integration/api.ts'
import { type Ground, outcome } from './protected.ts'
import { GROUPS } from './stage/people.ts'

export function testSessions(ground: Ground): void {
  testGroups(ground)
  testLifetime(ground)
}

function testGroups({ inA, inB, fresh, loggedIn, label }: Ground): void {
  test('who is in none of the groups of the team gets 403', async () => {
    for (const person of ['bob', 'carol']) {
      const client = fresh()
      expect(outcome(await client.login(inA.url('/'), person))).toEqual([403, undefined])
      expect((await client.ask(inA.url('/'))).reached).toBeUndefined()
    }
  })

  test('an access level lets in its groups, and nobody else of the team by whatever query', async () => {
    const [admin, member] = [await loggedIn('alice'), await loggedIn('anna')]
    await label(inA, 'auth.example/access=admins')
    await until('the level counts', async () => (await member.ask(inA.url('/'))).status === 403)
    await until('the level lets in', async () => (await admin.ask(inA.url('/'))).status === 200)
    const widened = await member.ask(inA.url(`/?allowed_groups=${GROUPS['team-a']}`))
    expect(outcome(widened)).toEqual([403, undefined])
    await label(inA, 'auth.example/access-')
    await until('the level is gone', async () => (await member.ask(inA.url('/'))).status === 200)
  }, 90_000)

  test("another team's session opens nothing, under whatever name its cookie comes", async () => {
    const ticket = (await loggedIn('alice')).jar.value('__Secure-team-a')
    expect(ticket).toBeDefined()
    for (const name of ['__Secure-team-a', '__Secure-team-b']) {
      const got = await fresh().ask(inB.url('/'), { headers: { cookie: `${name}=${ticket}` } })
      expect(outcome(got)).toEqual([302, undefined])
    }
  })
}

function testLifetime({ kind, inA, stage, fresh, loggedIn }: Ground): void {
  test('sessions are there again after a restart of oauth2-proxy, and nothing is open without it', async () => {
    const client = await loggedIn('alice')
    await stage().teams[0]?.restart(async () => {
      const [without, withSession] = [await fresh().ask(inA.url('/')), await client.ask(inA.url('/'))]
      expect([without.reached, withSession.reached]).toEqual([undefined, undefined])
    })
    await until('it answers again', async () => (await client.ask(inA.url('/'))).status === 200)
  }, 90_000)

  const where = kind.ownLogin ? 'the own host of the application' : 'the login host'
  test(`signing out on ${where} ends the session`, async () => {
    const client = await loggedIn('alice')
    const origin = kind.ownLogin ? inA.url('') : `https://login.team-a.${stage().domain}`
    const out = await client.ask(`${origin}/oauth2/sign_out`)
    expect([out.status, out.location]).toEqual([302, '/'])
    expect((await client.ask(inA.url('/'))).status).toBe(302)
  })
}
