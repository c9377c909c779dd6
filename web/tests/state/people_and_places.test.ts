import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/api/client';
import type { Invite, SharedFile, WorkspaceMember } from '../../src/api/types';
import type { ServerEvent } from '../../src/realtime/events';
import { Colleagues, mayManage, rolesBelow } from '../../src/state/colleagues.svelte';
import { stateOf } from '../../src/state/invites.svelte';
import { deviceOf } from '../../src/state/sessions.svelte';
import { SharedFiles } from '../../src/state/sharedFiles.svelte';
import { message } from '../things';

const now = new Date('2026-03-14T12:00:00Z');
const invite = (changes: Partial<Invite>): Invite => ({
  id: 1,
  workspace_id: 1,
  role: 'member',
  email: null,
  max_uses: null,
  uses: 0,
  expires_at: '2026-03-15T00:00:00Z',
  created_by: 1,
  created_at: '2026-03-01T00:00:00Z',
  ...changes,
});

class Ear {
  private listeners: ((event: ServerEvent) => void)[] = [];
  onEvent = (listener: (event: ServerEvent) => void): (() => void) => {
    this.listeners.push(listener);
    return () => (this.listeners = this.listeners.filter((one) => one !== listener));
  };
  hear(event: object): void {
    for (const listener of this.listeners) listener(event as ServerEvent);
  }
}

const clientWith = (answers: Partial<Record<keyof Client, unknown>>): Client => answers as unknown as Client;

describe('an invite', () => {
  it('is open until it is spent or its time is over', () => {
    expect(stateOf(invite({ uses: 1_000 }), now)).toBe('open');
    expect(stateOf(invite({ max_uses: 5, uses: 4 }), now)).toBe('open');
    expect(stateOf(invite({ max_uses: 5, uses: 5 }), now)).toBe('spent');
    expect(stateOf(invite({ expires_at: now.toISOString() }), now)).toBe('expired');
  });
});

describe('roles', () => {
  it('are given up to one’s own, and only by those who manage', () => {
    expect(rolesBelow('admin')).toEqual(['admin', 'member', 'guest']);
    expect(mayManage('admin', 'owner')).toBe(false);
    expect(mayManage('admin', 'admin')).toBe(true);
    expect(mayManage('member', 'guest')).toBe(false);
  });
});

describe('the members of a workspace', () => {
  const member = (user_id: number, changes: Partial<WorkspaceMember> = {}): WorkspaceMember => ({
    workspace_id: 1,
    user_id,
    role: 'member',
    status: 'Active',
    created_at: '2026-03-01T00:00:00Z',
    fullname: `P${user_id}`,
    username: `p${user_id}`,
    avatar: null,
    ...changes,
  });

  it('follow the events of their workspace, and of no other', async () => {
    const ear = new Ear();
    const people = new Colleagues(clientWith({ all: () => Promise.resolve([member(1), member(2)]) }), ear, 1);
    await people.load();
    const stop = people.follow();
    ear.hear({ type: 'workspace.member_updated', payload: member(2, { role: 'admin' }) });
    ear.hear({ type: 'workspace.member_added', payload: member(3) });
    ear.hear({ type: 'workspace.member_added', payload: member(4, { workspace_id: 2 }) });
    ear.hear({ type: 'workspace.member_removed', payload: member(1) });
    expect(people.list?.map((one) => [one.user_id, one.role])).toEqual([
      [2, 'admin'],
      [3, 'member'],
    ]);
    stop();
    ear.hear({ type: 'workspace.member_removed', payload: member(2) });
    expect(people.list).toHaveLength(2);
  });

  it('are asked for again when one comes while the answer is on its way', async () => {
    const ear = new Ear();
    let members = [member(1)];
    let isFirst = true;
    const all = async (): Promise<WorkspaceMember[]> => {
      const answer = members;
      if (!isFirst) return answer;
      isFirst = false;
      members = [member(1), member(2)];
      ear.hear({ type: 'workspace.member_added', payload: member(2) });
      return await Promise.resolve(answer);
    };
    const people = new Colleagues(clientWith({ all }), ear, 1);
    await people.load();
    expect(people.list?.map((one) => one.user_id)).toEqual([1, 2]);
  });
});

describe('the files of a chat', () => {
  const file = (id: number): SharedFile['file'] => ({
    id,
    name: `${id}.txt`,
    mime_type: 'text/plain',
    size: 1,
    sha256: '',
    url: `/api/files/${id}`,
    created_at: '2026-03-01T00:00:00Z',
  });
  const shared = (id: number, message_id: number): SharedFile => ({
    file: file(id),
    message_id,
    sender_id: 1,
    sent_at: '2026-03-01T00:00:00Z',
  });

  it('grow with what is posted, once, and lose what is deleted', async () => {
    const ear = new Ear();
    const files = new SharedFiles(clientWith({ get: () => Promise.resolve([shared(1, 10)]) }), ear, 7);
    await files.more();
    expect(files.isComplete).toBe(true);
    files.follow();
    const posted = message(11, { id: 11, chat_id: 7, files: [file(2)] });
    ear.hear({ type: 'message.created', chat_id: 7, payload: posted });
    ear.hear({ type: 'message.created', chat_id: 7, payload: posted });
    ear.hear({ type: 'message.created', chat_id: 8, payload: { ...posted, id: 12 } });
    expect(files.list?.map((one) => one.file.id)).toEqual([2, 1]);
    ear.hear({ type: 'message.deleted', chat_id: 7, payload: message(10, { id: 10, chat_id: 7 }) });
    expect(files.list?.map((one) => one.file.id)).toEqual([2]);
  });
});

describe('a device', () => {
  it.each([
    ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge · Windows'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari · iPhone',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox · Linux'],
    ['curl/8.5.0', 'curl/8.5.0'],
  ])('is told from what %s says', (agent, name) => {
    expect(deviceOf(agent)).toBe(name);
  });
});
