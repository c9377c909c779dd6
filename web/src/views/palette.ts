/**
 * What the palette can do and where it can go.
 *
 * Goal             one line of it
 * actionsFor       things to do, by the name one would look for
 */
import type { Chat, User, Workspace } from '../api/types';
import type { IconName } from '../components/icons';
import type { MessageKey } from '../i18n/catalogue';
import { t } from '../i18n/i18n.svelte';
import type { App } from '../state/app.svelte';
import type { DialogName } from '../state/overlays.svelte';
import { settingsPath } from '../state/routes';
import { OF_WORKSPACE, PERSONAL } from './settings/pages';

export type GoalGroup = 'chats' | 'people' | 'channels' | 'actions' | 'messages';

export interface Goal {
  key: string;
  group: GoalGroup;
  label: string;
  icon?: IconName;
  chat?: Chat;
  person?: User;
  run: () => void | Promise<void>;
}

export function actionsFor(app: App, workspace: Workspace): Goal[] {
  const { overlays, preferences, router } = app;
  const act = (key: string, label: string, icon: IconName, run: () => void): Goal => ({
    key: `a-${key}`,
    group: 'actions',
    label,
    icon,
    run,
  });
  const dialog = (name: DialogName, label: MessageKey, icon: IconName): Goal =>
    act(name, t(label), icon, () => overlays.open(name));
  const page = (name: string, title: MessageKey, icon: IconName, workspaceId: number | null): Goal =>
    act(`page-${name}`, t('palette.settings', { page: t(title) }), icon, () =>
      router.go(settingsPath(name, workspaceId)),
    );
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const isNight = preferences.theme === 'dark' || (preferences.theme === 'system' && isDark);
  return [
    dialog('new', 'chats.new', 'plus'),
    dialog('browse', 'chats.browse', 'compass'),
    ...(workspace.role === 'guest' ? [] : [dialog('invite', 'invite.title', 'invite')]),
    dialog('status', 'status.title', 'bell'),
    act('theme', t(isNight ? 'palette.light' : 'palette.dark'), 'palette', () =>
      preferences.set('theme', isNight ? 'light' : 'dark'),
    ),
    ...PERSONAL.map((one) => page(one.name, one.title, one.icon, null)),
    ...OF_WORKSPACE.filter((one) => one.isFor(workspace)).map((one) =>
      page(one.name, one.title, one.icon, workspace.id),
    ),
    ...app.workspaces.list
      .filter((one) => one.id !== workspace.id)
      .map((one) =>
        act(`workspace-${one.id}`, t('palette.workspace', { name: one.name }), 'group', () => {
          app.workspaces.choose(one.id);
          router.go('/');
        }),
      ),
    dialog('workspace', 'workspace.new', 'plus'),
  ];
}
