"""Static files in production: compressed, and under names that carry their content's hash."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Rewrites the imports between ES modules too; without it a page would load modules of two releases at once."""

    support_js_module_import_aggregation = True
