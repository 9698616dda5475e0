// The rows against the catalogue: whatever way around a login is known is shown, or it is said why it is not.
import { expect, test } from '@jest/globals'
import { leaveRow } from '../report/evidence.ts'
import { TABLE } from './bypass.ts'
import { CATALOGUE, type WayId } from './catalogue.ts'
import { NOT_SHOWN } from './not-shown.ts'
import { ENVOY_GATEWAY_WAYS } from './rows/envoy-gateway.ts'
import { TRAEFIK_HTTP_ROUTE_WAYS } from './rows/traefik-http-route.ts'
import { TRAEFIK_INGRESS_WAYS } from './rows/traefik-ingress.ts'
import { TRAEFIK_NGINX_WAYS } from './rows/traefik-nginx.ts'

const ways = [...TRAEFIK_INGRESS_WAYS, ...TRAEFIK_HTTP_ROUTE_WAYS, ...TRAEFIK_NGINX_WAYS, ...ENVOY_GATEWAY_WAYS]
const shown = new Set(ways.flatMap(way => way.of))
const ids = Object.keys(CATALOGUE) as WayId[]

test('every way around a login that is known has a row, or a reason why it cannot be shown here', () => {
  const said = new Set<WayId>([...shown, ...NOT_SHOWN.map(each => each.of)])
  process.stdout.write(`${ids.length} ways around, ${shown.size} of them shown by ${ways.length} rows\n`)
  expect(ids.filter(id => !said.has(id))).toEqual([])
})

test.each(NOT_SHOWN)('cannot be shown here: $what', ({ of, what, why }) => {
  const cannot = 'cannot be shown here'
  process.stdout.write(`  ${of.padEnd(12)} ${cannot}: ${what} (${why})\n`)
  const row = { gateway: '-', 'way around': what, 'without Portcullis': cannot, 'with Portcullis': cannot }
  leaveRow(TABLE, { ...row, 'what happened': why })
  expect(why).not.toBe('')
})

test('no two rows of a gateway have one name', () => {
  const names = ways.map(way => `${way.kind.title}: ${way.name}`)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})
