// Logins made by hand, taken over by the label while intruders ask, without one open answer in between.
import { test } from '@jest/globals'
import { pathOf } from '../../integration/api.ts'
import { applied, selector, succeeds } from '../../integration/objects.ts'
import { untilClosed } from '../protected.ts'
import { clientOf } from '../stage/client.ts'
import { loginByHand } from './by-hand.ts'
import { overwrite, PROTECTED, type Watched } from './watched.ts'

export function testTakeOver(watched: Watched): void {
  const { stage, spots, route, host, settled, watch } = watched

  test('routes with a login made by hand stay closed while the label takes them over, and what was made goes', async () => {
    const { controlPlane, api } = stage().cluster
    const all = spots('by-hand')
    const made = all.map(each => loginByHand(each, route(each), host(each)))
    const besides = made.flatMap(each => each.besides)
    await applied(controlPlane, ...besides, ...made.map(each => each.route))
    const client = clientOf(stage())
    await untilClosed(client, ...all.map(each => `https://${host(each)}/`))
    client.close()
    watch('by-hand', 'once closed')
    await watched.untilClosed('by-hand')
    for (const each of all) {
      await succeeds(controlPlane, ['label', ...selector(route(each)), 'auth.example/protect=true'])
    }
    await settled('routes with a login made by hand labelled')
    // What stays is the label alone.
    for (const each of all) await overwrite(watched, route(each, PROTECTED))
    for (const each of besides) await api.send('DELETE', pathOf(each))
    await settled('logins made by hand deleted')
  }, 150_000)
}
