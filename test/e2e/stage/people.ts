// Who can log in, and the groups that an Entra ID tenant would say they are in.

export type Person = {
  /** What they type, and the first part of their user principal name. */
  readonly name: string
  /** Object ids, as Entra ID puts them into a token. */
  readonly groups: readonly string[]
}

export const TENANT = '6a1d4c52-0f0b-4c4e-9d4e-5b6f2f0a7c10'

export const GROUPS = {
  'team-a': '0b1f4cb6-4f2a-4b0e-a5c4-00000000000a',
  'team-b': '0b1f4cb6-4f2a-4b0e-a5c4-00000000000b',
  admins: '0b1f4cb6-4f2a-4b0e-a5c4-0000000000ad',
} as const

export const PEOPLE: readonly Person[] = [
  { name: 'alice', groups: [GROUPS['team-a'], GROUPS['team-b'], GROUPS.admins] },
  { name: 'anna', groups: [GROUPS['team-a']] },
  { name: 'bob', groups: [GROUPS['team-b']] },
  { name: 'carol', groups: [] },
]
