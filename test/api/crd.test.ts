// The CRDs under manifests/ are those that the source makes, and are such that an API server can take them.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { customResourceDefinitionFiles, customResourceDefinitions } from '../../src/api/crd.ts'
import { crds } from '../../src/commands/crds.ts'

const FOLDER = join(import.meta.dirname, '../../manifests/crds')

type Schema = Record<string, unknown> & { properties?: Record<string, Schema>; items?: Schema }
type Definition = {
  metadata: { name: string }
  spec: {
    names: { shortNames: string[] }
    versions: { additionalPrinterColumns: { name: string; priority?: number }[]; schema: { openAPIV3Schema: Schema } }[]
  }
}

const definitions = customResourceDefinitions() as Definition[]
const version = (index: number) => definitions[index]!.spec.versions[0]!

/** Every place of the schema with its path. */
function places(schema: Schema, path: string): [string, Schema][] {
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    places(child, `${path}.${name}`),
  )
  const below = [schema.items, schema.additionalProperties as Schema | undefined].filter(child => child !== undefined)
  return [[path, schema], ...properties, ...below.flatMap(child => places(child, `${path}[]`))]
}

const all = definitions.flatMap(({ metadata, spec }) => places(spec.versions[0]!.schema.openAPIV3Schema, metadata.name))

describe('the CRDs', () => {
  test('under manifests/crds are what `npm run generate` writes; run it when this fails', () => {
    const written = Object.fromEntries(
      readdirSync(FOLDER).map(name => [name, readFileSync(join(FOLDER, name), 'utf8')]),
    )
    expect(written).toEqual(Object.fromEntries(customResourceDefinitionFiles()))
  })

  test('are printed, or written to a folder', async () => {
    const printed: string[] = []
    expect(await crds({}, text => printed.push(text))).toBe(0)
    const folder = join(mkdtempSync(join(tmpdir(), 'crds-')), 'new')
    expect(await crds({ write: folder }, () => {})).toBe(0)
    const written = readdirSync(folder).map(name => parse(readFileSync(join(folder, name), 'utf8')))
    expect(written).toHaveLength(2)
    expect(written).toEqual(expect.arrayContaining(customResourceDefinitions()))
    expect(
      printed
        .join('')
        .split('---\n')
        .map(text => parse(text)),
    ).toEqual(customResourceDefinitions())
  })

  test('describe every field', () => {
    const fields = all.filter(([path]) => !path.endsWith('[]') && !path.includes('.metadata'))
    expect(fields.length).toBeGreaterThan(40)
    expect(fields.filter(([, { description }]) => !description).map(([path]) => path)).toEqual([])
  })

  test('give every place a type, and every list, map and string a limit', () => {
    const limits: Record<string, (place: Schema) => boolean> = {
      array: ({ maxItems }) => maxItems !== undefined,
      string: place => [place.maxLength, place.enum, place.format].some(limit => limit !== undefined),
      object: ({ properties, maxProperties }) => properties !== undefined || maxProperties !== undefined,
      integer: ({ maximum }) => maximum !== undefined,
      boolean: () => true,
    }
    const own = all.filter(([path]) => !/\.(apiVersion|kind)$/.test(path) || path.includes('.spec.'))
    expect(own.filter(([, place]) => !limits[String(place.type)]?.(place)).map(([path]) => path)).toEqual([])
  })

  test('use only expressions that RE2 knows, anchored on both sides', () => {
    const patterns = all.flatMap(([path, { pattern }]) =>
      typeof pattern === 'string' ? [[path, pattern] as const] : [],
    )
    expect(patterns.length).toBeGreaterThan(15)
    expect(patterns.filter(([, pattern]) => /\(\?|\\[1-9]|\\\//.test(pattern))).toEqual([])
    const open = patterns.filter(([, pattern]) => !(pattern.startsWith('^') && pattern.endsWith('$')))
    expect(open.map(([path]) => path)).toEqual(['authexemptions.auth.example.spec.reason'])
  })

  test('show of a team whether it is ready and what it protects, and more with -o wide', () => {
    const columns = version(0).additionalPrinterColumns
    const shown = (wide: boolean) => columns.filter(({ priority = 0 }) => priority > 0 === wide).map(({ name }) => name)
    expect(shown(false)).toEqual(['Ready', 'Reason', 'Proxy', 'Conflicting', 'Ingresses', 'HTTPRoutes', 'Login', 'Age'])
    expect(shown(true)).toEqual(['Default', 'Message'])
    expect(version(0)).toMatchObject({ subresources: { status: {} } })
    expect(definitions.map(({ spec }) => spec.names.shortNames)).toEqual([['at'], ['ae']])
  })

  test('give rules between fields a sentence in one line', () => {
    const rules = all.flatMap(([, place]) => (place['x-kubernetes-validations'] ?? []) as { message: string }[])
    expect(rules.length).toBeGreaterThanOrEqual(9)
    expect(rules.filter(({ message }) => !/^[\x20-\x7e]{10,}$/.test(message))).toEqual([])
  })
})
