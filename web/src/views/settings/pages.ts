/**
 * The pages of the settings, in the order shown. A new one is one entry here.
 *
 * PERSONAL         of oneself and this device
 * OF_WORKSPACE     of one workspace; `isFor`: who sees it at all
 */
import type { Component } from 'svelte';
import type { Workspace } from '../../api/types';
import type { IconName } from '../../components/icons';
import type { MessageKey } from '../../i18n/catalogue';

interface Page<Props extends Record<string, unknown>> {
  name: string;
  title: MessageKey;
  icon: IconName;
  load: () => Promise<{ default: Component<Props> }>;
}

export type PersonalPage = Page<Record<string, never>>;
export interface WorkspacePage extends Page<{ workspace: Workspace }> {
  isFor: (workspace: Workspace) => boolean;
}

const isManager = ({ role }: Workspace): boolean => role === 'owner' || role === 'admin';

export const PERSONAL: readonly PersonalPage[] = [
  { name: 'profile', title: 'settings.profile', icon: 'person', load: () => import('./Profile.svelte') },
  { name: 'account', title: 'settings.account', icon: 'shield', load: () => import('./Account.svelte') },
  { name: 'notifications', title: 'push.title', icon: 'bell', load: () => import('./Notifications.svelte') },
  { name: 'appearance', title: 'settings.appearance', icon: 'palette', load: () => import('./Appearance.svelte') },
];

export const OF_WORKSPACE: readonly WorkspacePage[] = [
  {
    name: 'workspace',
    title: 'settings.workspace',
    icon: 'settings',
    load: () => import('./Workspace.svelte'),
    isFor: () => true,
  },
  {
    name: 'members',
    title: 'settings.members',
    icon: 'group',
    load: () => import('./Members.svelte'),
    isFor: ({ role }) => role !== 'guest',
  },
  {
    name: 'invites',
    title: 'settings.invites',
    icon: 'invite',
    load: () => import('./Invites.svelte'),
    isFor: isManager,
  },
];
