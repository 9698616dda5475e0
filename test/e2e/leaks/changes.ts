// What owners of routes do with them while intruders ask: each leaves them closed.
import { test } from '@jest/globals'
import { until } from '../../integration/api.ts'
import { applied, succeeds } from '../../integration/objects.ts'
import { NAMESPACE, overwrite, PROTECTED, type Watched } from './watched.ts'

export function testChanges(watched: Watched): void {
  const { stage, spots, route, host, settled, watch, untilClosed } = watched
  const controlPlane = () => stage().cluster.controlPlane
  const labelAll = async (name: string, labels: Readonly<Record<string, string | null>>) => {
    for (const each of spots(name)) {
      const { status, message } = await stage().cluster.api.patch(route(each), { metadata: { labels } })
      if (status !== 200) throw new Error(`${host(each)} is not labelled: ${message}`)
    }
  }

  test('routes that are created with the label are never open', async () => {
    watch('new', 'never')
    await applied(controlPlane(), ...spots('new').map(each => route(each, PROTECTED)))
    await untilClosed('new')
    await settled('routes created')
  }, 120_000)

  test('routes that get the label are closed for good once they have been closed', async () => {
    await applied(controlPlane(), ...spots('old').map(each => route(each)))
    watch('old', 'once closed')
    await labelAll('old', PROTECTED)
    await untilClosed('old')
    await settled('routes labelled')
  }, 120_000)

  test('so are routes that get another access level, or clients of another kind', async () => {
    for (const [key, value] of [
      ['access', 'admins'],
      ['client', 'api'],
    ]) {
      await labelAll('old', { [`auth.example/${key}`]: value as string })
      await labelAll('old', { [`auth.example/${key}`]: null })
    }
    await settled('routes edited')
  }, 120_000)

  test('so are routes that are written again as their owner has them, with nothing of the protection', async () => {
    for (const each of spots('old')) await overwrite(watched, route(each, PROTECTED))
    await settled('routes written again')
  }, 120_000)
}

/** A team is moved by a label, by its namespace, and by what its AuthTeam says. */
export function testMoves(watched: Watched): void {
  const { stage, spots, route, settled, watch, untilClosed } = watched
  const controlPlane = () => stage().cluster.controlPlane
  const namespaces = (team: string, names: readonly string[], isDefault: boolean) => {
    const patch = JSON.stringify({ spec: { namespaces: { names, default: isDefault } } })
    return succeeds(controlPlane(), ['patch', 'authteam', team, '--type=merge', '-p', patch])
  }

  test('routes that move to another team, and to its hosts, are open on neither', async () => {
    await namespaces('team-b', ['shop', NAMESPACE], false)
    watch('moved', 'never')
    watch('moved', 'never', 'team-b')
    await applied(controlPlane(), ...spots('moved').map(each => route(each, PROTECTED)))
    await untilClosed('moved')
    for (const each of spots('moved')) {
      const moved = route(each, { 'auth.example/protect': 'team-b' }, 'team-b')
      // What guards routes of the other team here may still be on its way.
      await until('it may move', () =>
        overwrite(watched, moved).then(
          () => true,
          () => false,
        ),
      )
    }
    await untilClosed('moved', 'team-b')
    await settled('routes moved to team-b')
    for (const each of spots('moved')) await overwrite(watched, route(each, PROTECTED))
    await settled('routes moved back')
  }, 180_000)

  test('so are all while their namespace is given to another team, and given back', async () => {
    const label = (value: string) =>
      succeeds(controlPlane(), ['label', '--overwrite', 'namespace', NAMESPACE, `auth.example/protect${value}`])
    await label('=team-b')
    await settled('namespace moved to team-b')
    await label('-')
    await settled('namespace moved back')
  }, 120_000)

  test('so are all while their team no longer admits the namespace, and admits it again', async () => {
    await namespaces('team-a', ['elsewhere'], true)
    await settled('namespace taken from team-a')
    await namespaces('team-a', [NAMESPACE], true)
    await settled('namespace given back to team-a')
  }, 120_000)
}
