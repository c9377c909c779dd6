/**
 * The first steps in a workspace: a chat, a word, company. They are read off what is there; who is past them, or does
 * not want them, does not see them.
 *
 * Onboarding       steps, isShown, dismiss
 */
import type { Chats } from './chats.svelte';
import { keep, recall } from './device';
import type { Workspaces } from './workspaces.svelte';

export interface Steps {
  chat: boolean;
  word: boolean;
  company: boolean;
}

const DISMISSED = 'onboarding.dismissed';

export class Onboarding {
  private dismissed = $state(recall(DISMISSED) !== null);
  readonly steps: Steps = $derived.by(() => {
    const { list } = this.chats;
    return {
      chat: list.length > 0,
      word: list.some((chat) => chat.last_seq > 0),
      company: list.some((chat) => chat.member_count > 1),
    };
  });
  /** Only those who may invite have company to bring. */
  readonly isShown = $derived.by(() => {
    const { chat, word, company } = this.steps;
    const isHost = this.workspaces.current?.role === 'owner';
    return !this.dismissed && isHost && this.chats.list.length < 3 && !(chat && word && company);
  });

  constructor(
    private readonly chats: Pick<Chats, 'list'>,
    private readonly workspaces: Workspaces,
  ) {}

  dismiss(): void {
    this.dismissed = true;
    keep(DISMISSED, 'yes');
  }
}
