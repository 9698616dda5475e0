// The gateways and the login that tests run against start on this machine, and are of the releases that are named.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import type { PartName } from '../parts/catalogue.ts'
import { programAt } from '../parts/locate.ts'
import { describeWithParts } from '../parts/require.ts'

const said: ReadonlyArray<[PartName, string[], RegExp]> = [
  ['kube-controller-manager', ['--version'], /^Kubernetes v1\.36\.3$/m],
  ['envoy-gateway', ['version'], /^ENVOY_GATEWAY_VERSION: v1\.9\.1$/m],
  ['envoy', ['--version'], /\/1\.39\.3\/Clean\/RELEASE\//],
  ['traefik', ['version'], /^Version:\s+3\.7\.13$/m],
  ['oauth2-proxy', ['--version'], /^oauth2-proxy v7\.15\.3 /m],
  ['redis-server', ['--version'], /^Redis server v=\d/m],
  ['chromium', ['--version'], /^(Chromium|Google Chrome) \d/m],
]

for (const [name, args, version] of said) {
  describeWithParts(`the part ${name}`, [name], () => {
    test('starts, and says its release', async () => {
      const { stdout } = await promisify(execFile)(programAt(name), args)
      expect(stdout).toMatch(version)
    }, 60_000)
  })
}
