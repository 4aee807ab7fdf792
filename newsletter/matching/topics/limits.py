"""From which numbers on a topic needs a look. They import nothing: `status` and lists use them without the query language."""

from datetime import timedelta
from typing import Final

#: How many days a preview looks back.
DAYS: Final = 90
#: A topic that matches more items a day is too wide; saving one needs confirmation.
MANY_PER_DAY: Final = 30
#: A topic that matched nothing for so long is silent.
SILENT: Final = timedelta(days=30)
#: A topic or spelling is noisy from so many objections on.
NOISY_FROM: Final = 3
