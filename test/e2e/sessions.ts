// Whose session opens which application, and how long it lasts.
import { expect, test } from '@jest/globals'
import { until } from '../integration/api.ts'
import { type Ground, outcome } from './protected.ts'
import { GROUPS } from './stage/people.ts'

export function testSessions(ground: Ground): void {
  testOutsiders(ground)
  testLevels(ground)
  testOtherTeam(ground)
  testLifetime(ground)
}

/** Where the team has groups that alone may have a session. */
export function testOutsiders({ inA, fresh }: Ground): void {
  test('who is in none of the groups of the team gets 403', async () => {
    for (const person of ['bob', 'carol']) {
      const client = fresh()
      expect(outcome(await client.login(inA.url('/'), person))).toEqual([403, undefined])
      expect((await client.ask(inA.url('/'))).reached).toBeUndefined()
    }
  })
}

export function testLevels({ inA, loggedIn, label }: Ground): void {
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
}

export function testOtherTeam({ inB, teams, fresh, loggedIn }: Ground): void {
  test("another team's session opens nothing, under whatever name its cookie comes", async () => {
    const names = teams().map(({ cookieName }) => cookieName)
    const ticket = (await loggedIn('alice')).jar.value(names[0] as string)
    expect(ticket).toBeDefined()
    for (const name of names) {
      const got = await fresh().ask(inB.url('/'), { headers: { cookie: `${name}=${ticket}` } })
      expect(outcome(got)).toEqual([302, undefined])
    }
  })
}

export function testLifetime({ kind, inA, teams, fresh, loggedIn }: Ground): void {
  test('sessions are there again after a restart of oauth2-proxy, and nothing is open without it', async () => {
    const client = await loggedIn('alice')
    await teams()[0].restart(async () => {
      const [without, withSession] = [await fresh().ask(inA.url('/')), await client.ask(inA.url('/'))]
      expect([without.reached, withSession.reached]).toEqual([undefined, undefined])
    })
    await until('it answers again', async () => (await client.ask(inA.url('/'))).status === 200)
  }, 90_000)

  const where = kind.ownLogin ? 'the own host of the application' : 'the login host'
  test(`signing out on ${where} ends the session`, async () => {
    const client = await loggedIn('alice')
    const origin = kind.ownLogin ? inA.url('') : `https://${teams()[0].loginHost}`
    const out = await client.ask(`${origin}/oauth2/sign_out`)
    expect([out.status, out.location]).toEqual([302, '/'])
    expect((await client.ask(inA.url('/'))).status).toBe(302)
  })
}
