// The library that encodes certificates costs memory: whoever makes none does without it.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '../..')

/** Packages of it that are there once a file has been loaded, in a process of its own. */
function libraryBehind(file: string): string {
  const program = `
    import { createRequire } from 'node:module'
    await import(${JSON.stringify(join(ROOT, file))})
    const { cache } = createRequire(import.meta.url)
    console.log(Object.keys(cache).filter(path => /node_modules.(@peculiar.asn1-x509|asn1js)/.test(path)).length > 0)`
  const args = ['--input-type=module', '--eval', program]
  return execFileSync(join(ROOT, 'node_modules/.bin/node'), args, { encoding: 'utf8' }).trim()
}

test.each([
  ['the webhook, before it signs a certificate of its own,', 'src/commands/webhook/cluster.ts', 'false'],
  ['the standalone webhook with certificates that are good', 'src/commands/webhook/standalone.ts', 'false'],
  ['the controller, before it makes an authority,', 'src/commands/controller/run.ts', 'false'],
  ['a replica that signs its own', 'src/certificates/follow-shared.ts', 'true'],
])(
  'by %s it is loaded: %s %s',
  (_, file, isThere) => {
    expect(libraryBehind(file)).toBe(isThere)
  },
  60_000,
)
